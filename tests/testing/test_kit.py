"""The test kit runs a snap as a pipeline does, and refuses what a pipeline could not give it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Item
from engine.errors import ConfigurationError, DataError
from engine.sdk import HttpResponse, StreamEnd, StreamStart
from engine.testing import CannedHttp, SnapRun, run_snap


def test_gives_the_output_of_the_snap() -> None:
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
        ("JSONParser", [b"{}"], "'input' takes binary streams: give StreamStart"),
        ("Filter", {"id": [{}]}, "there is no view 'id'; the views are: input"),
    ],
)
def test_refuses_what_would_test_nothing(snap: str, given: Any, says: str) -> None:
    settings = {"filter": "true"} if snap == "Filter" else {}
    with pytest.raises(ConfigurationError, match=says):
        run_snap(snap, settings, given)


def test_all_wrong_settings_are_told() -> None:
    with pytest.raises(ConfigurationError, match="no setting 'fliter'"):
        run_snap("Filter", {"fliter": "true"}, [{}])


def test_a_binary_stream_is_given_in_pieces() -> None:
    given: list[Item] = [StreamStart(), b'[{"a": 1}, {"a"', b": 2}]", StreamEnd()]
    assert run_snap("JSONParser", {}, given).output == [{"a": 1}, {"a": 2}]


def test_errors_are_told_apart_from_outputs() -> None:
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
