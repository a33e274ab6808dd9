from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidPipelineError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra


def row(source: str, operation: str, target: str = "") -> dict[str, str]:
    return {"source": source, "operation": operation} | ({"target": target} if target else {})


def structured(run_snap: Any, document: Any, *rows: Any, **settings: Any) -> Any:
    settings["mappings"] = list(rows)
    return run_snap("Structure", settings, [document], exact=True).output[0]


def test_a_new_map_holds_only_the_targets(run_snap: Any) -> None:
    rows = [row("$a", "move", "$x"), row("b.c", "copy", "y.z"), row("$a", "delete")]
    document = {"a": Decimal("1.50"), "b": {"c": 2}, "d": 3}
    made = structured(run_snap, document, *rows)
    assert made == {"x": Decimal("1.50"), "y": {"z": 2}}
    assert str(made["x"]) == "1.50"


def test_moving_takes_the_source_away_and_copying_leaves_it(run_snap: Any) -> None:
    rows = [row("$a", "move", "$x"), row("$b", "copy", "$y")]
    made = structured(run_snap, {"a": 1, "b": 2, "c": 3}, *rows, pass_through=True)
    assert made == {"b": 2, "c": 3, "x": 1, "y": 2}


def test_an_object_moved_to_the_root_adds_its_fields(run_snap: Any) -> None:
    rows = [row("$status", "copy", "$code"), row("$original", "move", "$")]
    document = {"status": 200, "original": {"id": 1}}
    assert structured(run_snap, document, *rows) == {"code": 200, "id": 1}
    passed = structured(run_snap, document, *rows, pass_through=True)
    assert passed == {"status": 200, "code": 200, "id": 1}


def test_a_part_can_move_into_itself(run_snap: Any) -> None:
    made = structured(run_snap, {"a": 1}, row("$a", "move", "$a.b"), pass_through=True)
    assert made == {"a": {"b": 1}}


def test_two_fields_can_change_places(run_snap: Any) -> None:
    rows = [row("$a", "copy", "$b"), row("$b", "copy", "$a")]
    assert structured(run_snap, {"a": 1, "b": 2}, *rows, pass_through=True) == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("source", "there", "expected"),
    [
        (3, [1], [1, 3]),
        ([3, 4], [1], [1, 3, 4]),
        (3, None, [3]),
        (3, 1, [1, 3]),
    ],
)
def test_update_appends_to_a_list(
    run_snap: Any, source: Any, there: Any, expected: list[int]
) -> None:
    document = {"source": source, "list": there}
    made = structured(run_snap, document, row("$source", "update", "$list"), pass_through=True)
    assert made["list"] == expected
    assert document == {"source": source, "list": there}


def test_parts_of_all_elements_can_be_deleted(run_snap: Any) -> None:
    document = {"a": [{"x": 1, "y": 2}, {"x": 3}]}
    made = structured(run_snap, document, row("$a[*].x", "delete"), pass_through=True)
    assert made == {"a": [{"y": 2}, {}]}


def test_a_missing_source_fails_its_document_unless_access_is_null_safe(run_snap: Any) -> None:
    settings = {"mappings": [row("$a", "move", "$b")]}
    run = run_snap("Structure", settings, [{}, {"a": 1}], on_error="route")
    assert run.output == [{"b": 1}]
    assert [error["original"] for error in run.errors] == [{}]
    safe = {**settings, "null_safe_access": True}
    assert run_snap("Structure", safe, [{}]).output == [{"b": None}]


def test_only_an_object_can_become_the_document(run_snap: Any) -> None:
    settings = {"mappings": [row("$a", "move", "$")]}
    run = run_snap("Structure", settings, [{"a": [1]}], on_error="route")
    assert run.errors[0]["reason"] == "the target '$' needs an object, but the source is [1]"


def test_a_row_without_a_target_must_delete(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="'copy' needs a target"):
        run_snap("Structure", {"mappings": [row("$a", "copy")]}, [])


def test_each_request_keeps_its_document(tmp_path: Path) -> None:
    snaps = "  s: {snap: Structure, mappings: [{source: $request, target: $n}]}"
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2))
    assert outcomes.answers == {1: [{"n": 1}], 2: [{"n": 2}]}
