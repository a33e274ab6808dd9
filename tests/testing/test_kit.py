"""The test kit runs a snap as a pipeline does, and refuses input that no link could carry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Item
from engine.errors import ConfigurationError, DataError, InvalidPipelineError
from engine.sdk import Document, HttpResponse, Snap, StreamEnd, StreamStart, View, Views
from engine.sdk.settings import NoSettings
from engine.testing import CannedHttp, SnapRun, run_snap


def test_returns_the_output_of_the_snap() -> None:
    assert run_snap("Filter", {"filter": "$a > 1"}, [{"a": 1}, {"a": 2}]).output == [{"a": 2}]


def test_without_items_the_input_is_unlinked() -> None:
    assert run_snap("Mapper", {"mappings": {"$a": "1"}}).output == [{"a": 1}]


def test_the_project_of_the_fixture_is_a_folder_of_the_test(
    run_snap: Callable[..., SnapRun], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert b"hello" in run_snap("FileReader", {"file": "a.txt"}).output


@pytest.mark.parametrize(
    ("snap", "given", "says"),
    [
        ("Filtr", [{}], "no snap called 'Filtr'; did you mean 'Filter'"),
        ("Filter", ["x"], "'input' takes documents, not 'x'"),
        ("JSONParser", [b"{}"], "'input' takes binary streams: pass the bytes"),
        ("Filter", {"id": [{}]}, "there is no view 'id'; the views are: input"),
        ("Filter", {"id": 1}, "put a single document in a list"),
    ],
)
def test_refuses_what_would_test_nothing(snap: str, given: Any, says: str) -> None:
    settings = {"filter": "true"} if snap == "Filter" else {}
    with pytest.raises(ConfigurationError, match=says):
        run_snap(snap, settings, given)


def test_wrong_settings_are_reported_at_once_as_engine_validate_does() -> None:
    with pytest.raises(InvalidPipelineError, match="no setting 'fliter'") as caught:
        run_snap("Filter", {"fliter": "true", "null_safe_access": "maybe"}, [{}])
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["unknown-setting", "wrong-type"]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("$a >", "expression-syntax"),
        ("$a > _nope", "unknown-parameter"),
        ("$a.nope()", "expression-syntax"),
        ("lib.nope($a)", "unknown-library"),
    ],
)
def test_a_mistake_in_an_expression_is_a_mistake_of_the_settings(
    expression: str, code: str
) -> None:
    with pytest.raises(InvalidPipelineError) as caught:
        run_snap("Filter", {"filter": expression}, [{"a": 1}], on_error="discard")
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_declared_parameter_can_be_read() -> None:
    result = run_snap("Filter", {"filter": "$a == _a"}, [{"a": "1"}], parameters={"a": "1"})
    assert result.output == [{"a": "1"}]


def test_settings_that_no_file_can_hold_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'filter' is \{'a'\}, a set; pass settings"):
        run_snap("Filter", {"filter": {"a"}}, [{}])


def test_items_for_a_snap_without_inputs_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="the snap has no input view"):
        run_snap(NoInput, {}, [{}])


def test_inputs_are_linked_in_the_order_in_which_they_are_given() -> None:
    run = run_snap(Names, {}, {"orders": [{"of": "orders"}], "customers": [{"of": "customers"}]})
    assert run.output == [
        {"of": "customers", "inputs": ["orders", "customers"]},
        {"of": "orders", "inputs": ["orders", "customers"]},
    ]


class Names(Snap[NoSettings]):
    """All inputs but the first are read first."""

    views = Views(inputs=(View("input", many=True, named=True, read_first="all but the first"),))

    def process(self, document: Document) -> Document:
        return {**document, "inputs": list(self.context.inputs)}


class NoInput(Snap[NoSettings]):
    views = Views(inputs=())


def test_a_binary_stream_is_given_in_pieces() -> None:
    given: list[Item] = [StreamStart(), b'[{"a": 1}, {"a"', b": 2}]", StreamEnd()]
    assert run_snap("JSONParser", {}, given).output == [{"a": 1}, {"a": 2}]


def test_errors_are_separate_from_outputs() -> None:
    result = run_snap("Filter", {"filter": "$a > 1"}, [{"b": 1}], on_error="route")
    assert result.output == []
    assert result.errors[0]["original"] == {"b": 1}
    assert result.statistics.errors == 1


def test_canned_answers_stand_for_a_server_and_are_used_up() -> None:
    answers: list[HttpResponse | DataError] = [
        DataError("busy"),
        HttpResponse(200, body=b"a"),
        HttpResponse(200, body=b"b"),
    ]
    http = CannedHttp({"GET http://h/": answers})
    settings = {"service_url": "http://h/"}
    result = run_snap("RESTGet", settings, [{}] * 4, on_error="route", http=http)
    assert [document["entity"] for document in result.output] == ["a", "b", "b"]
    assert result.errors[0]["error"] == "busy"
    assert len(http.requests) == 4


@pytest.mark.parametrize("answer", [{"a": 1}, "text", [], [200]], ids=repr)
def test_an_answer_that_is_not_a_response_is_refused(answer: Any) -> None:
    with pytest.raises(ConfigurationError, match="the answer to 'GET http://h/' must be an Http"):
        CannedHttp({"GET http://h/": answer})


def test_what_is_not_an_http_client_is_refused() -> None:
    http: Any = {"GET http://h/": HttpResponse(200)}
    with pytest.raises(ConfigurationError, match=r"CannedHttp\(...\), not dict"):
        run_snap("RESTGet", {"service_url": "http://h/"}, [{}], http=http)
