from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

NUMBERS = [{"n": n} for n in range(200)]


def test_up_to_the_limit_documents_pass(run_snap: Any) -> None:
    assert run_snap("Exit", {"threshold_limit": 200}, NUMBERS).output == NUMBERS


def test_one_document_too_many_stops_the_pipeline_whatever_on_error_says(run_snap: Any) -> None:
    with pytest.raises(SnapFailedError, match="Exceeded threshold limit"):
        run_snap("Exit", {"threshold_limit": 199}, NUMBERS, on_error="discard")


def test_by_default_the_first_document_stops_the_pipeline(run_snap: Any) -> None:
    assert run_snap("Exit", {}, []).output == []
    with pytest.raises(SnapFailedError, match="Exceeded threshold limit"):
        run_snap("Exit", {}, [{}])


def test_the_message_may_come_from_the_document(run_snap: Any) -> None:
    settings = {"threshold_limit": 1, "exit_error_message": "= 'no stock for ' + $n"}
    with pytest.raises(SnapFailedError, match="no stock for 1"):
        run_snap("Exit", settings, NUMBERS)


@pytest.mark.parametrize("message", ["= null", "= $gone.x"])
def test_without_a_message_there_is_the_usual_one(run_snap: Any, message: str) -> None:
    with pytest.raises(SnapFailedError, match="Exceeded threshold limit"):
        run_snap("Exit", {"exit_error_message": message}, NUMBERS)


def test_the_limit_may_come_from_a_parameter(run_snap: Any) -> None:
    settings = {"threshold_limit": "= parseInt(_limit)"}
    assert run_snap("Exit", settings, NUMBERS[:3], parameters={"limit": "3"}).output == NUMBERS[:3]
    with pytest.raises(SnapFailedError, match="threshold_limit cannot be computed"):
        run_snap("Exit", settings, NUMBERS, parameters={"limit": "many"})


def test_without_a_link_the_documents_end_here(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("snaps: {e: {snap: Exit, threshold_limit: 5}}\n")
    report = api.run(tmp_path / "p.yaml", inputs={"e": NUMBERS[:5]})
    assert report.outputs == {}
    assert report.snaps[0].dropped == 5


def test_a_negative_limit_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="threshold_limit must be 0 or more, got -1"):
        run_snap("Exit", {"threshold_limit": -1}, [])


def test_in_an_ultra_task_the_requests_beyond_the_limit_fail(tmp_path: Path) -> None:
    snaps = "  e: {snap: Exit, threshold_limit: 1}\n  m: {snap: Mapper, pass_through: true}"
    outcomes, failure = run_ultra(tmp_path, snaps, ["e -> m"], requests(1, 2), requests(3))
    assert failure is None
    assert outcomes.answers == {
        1: [{"request": 1}],
        2: ["failed: Exceeded threshold limit"],
        3: ["failed: Exceeded threshold limit"],
    }
