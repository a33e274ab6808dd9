from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def test_it_generates_as_many_numbers_as_asked_for(run_snap: Any) -> None:
    output = run_snap("Sequence", {"number_of_documents": 1000, "step": -2}).output
    assert output == [{"value": 1 - 2 * n} for n in range(1000)]


def test_by_default_it_generates_the_number_one(run_snap: Any) -> None:
    assert run_snap("Sequence").output == [{"value": 1}]


def test_with_an_input_there_is_one_number_for_each_document(run_snap: Any) -> None:
    settings = {"initial_value": 5, "number_of_documents": 2}
    output = run_snap("Sequence", settings, [{"a": n} for n in range(200)]).output
    assert output == [{"value": 5 + n} for n in range(200)]


def test_passed_fields_come_first_and_a_field_value_is_replaced(run_snap: Any) -> None:
    given = [{"value": "x", "a": Decimal("1.50")}]
    [document] = run_snap("Sequence", {"pass_through": True}, given, exact=True).output
    assert list(document.items()) == [("a", Decimal("1.50")), ("value", 1)]
    assert str(document["a"]) == "1.50"


def test_settings_may_come_from_parameters(run_snap: Any) -> None:
    settings = {"initial_value": "= parseInt(_first)", "number_of_documents": "= _many"}
    parameters = {"first": "7", "many": "2"}
    output = run_snap("Sequence", settings, parameters=parameters).output
    assert output == [{"value": 7}, {"value": 8}]


def test_no_documents_are_no_failure(run_snap: Any) -> None:
    assert run_snap("Sequence", {"number_of_documents": 0}).output == []
    assert run_snap("Sequence", {}, []).output == []


def test_many_numbers_stream(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  s: {snap: Sequence, number_of_documents: 200000}\n"
        "  f: {snap: Filter, filter: $value % 100000 == 0}\nlinks: [s -> f]\n"
    )
    report = api.run(tmp_path / "p.yaml")
    assert report.outputs == {"f.output": [{"value": 100000}, {"value": 200000}]}


def test_a_negative_number_of_documents_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="number_of_documents must be 0 or more, got -1"):
        run_snap("Sequence", {"number_of_documents": -1})


def test_a_parameter_that_is_not_a_number_stops_the_pipeline(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="initial_value cannot be computed"):
        run_snap("Sequence", {"initial_value": "= _x"}, parameters={"x": "many"})


def test_requests_are_numbered(tmp_path: Path) -> None:
    snaps = "  m: {snap: Mapper, pass_through: true}\n  s: {snap: Sequence}"
    outcomes, _ = run_ultra(tmp_path, snaps, ["m -> s"], requests(4, 5), requests(6))
    assert outcomes.answers == {4: [{"value": 1}], 5: [{"value": 2}], 6: [{"value": 3}]}


def test_numbers_without_an_input_do_not_disturb_requests(tmp_path: Path) -> None:
    snaps = """\
  numbers: {snap: Sequence, number_of_documents: 3}
  trash: {snap: Trash}
  m: {snap: Mapper, pass_through: true}"""
    outcomes, _ = run_ultra(tmp_path, snaps, ["numbers -> trash"], requests(4))
    assert outcomes.answers == {4: [{"request": 4}]}
