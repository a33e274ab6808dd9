from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError
from tests.run.test_ultra import requests
from tests.run.test_ultra import run as run_ultra

NUMBERS = [{"n": n} for n in range(200)]


def test_the_first_documents_are_recorded_and_all_pass(run_snap: Any, tmp_path: Path) -> None:
    settings = {"path": "out/x.json", "document_count": 100}
    assert run_snap("RecordReplay", settings, NUMBERS).output == NUMBERS
    assert json.loads((tmp_path / "out" / "x.json").read_text()) == NUMBERS[:100]


def test_a_run_with_fewer_documents_records_them_at_its_end(run_snap: Any, tmp_path: Path) -> None:
    run_snap("RecordReplay", {"path": "x.json"}, [{"n": Decimal("1.50")}])
    assert (tmp_path / "x.json").read_text() == '[{"n":1.50}]'


def test_a_run_by_hand_replays_what_was_recorded(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"n": 1.50}, {"n": 2}]')
    output = run_snap("RecordReplay", {"path": "x.json"}, exact=True).output
    assert [str(each["n"]) for each in output] == ["1.50", "2"]
    assert (tmp_path / "x.json").read_text() == '[{"n": 1.50}, {"n": 2}]'


def test_without_a_recording_the_empty_document_passes(run_snap: Any, tmp_path: Path) -> None:
    assert run_snap("RecordReplay", {"path": "x.json"}).output == [{}]
    assert not (tmp_path / "x.json").exists()


def test_what_a_caller_gives_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[{"n": 1}]')
    (tmp_path / "p.yaml").write_text(
        "snaps: {r: {snap: RecordReplay, path: x.json, replay_only: true}}\n"
    )
    report = api.run(tmp_path / "p.yaml", inputs={"r": [{"n": 5}]})
    assert report.outputs == {"r.output": [{"n": 5}]}
    assert (tmp_path / "x.json").read_text() == '[{"n": 1}]'


def test_the_default_file_is_named_after_pipeline_and_snap(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("pipeline: Orders\nsnaps: {rec: {snap: RecordReplay}}\n")
    api.run(tmp_path / "p.yaml", inputs={"rec": [{"n": 5}]})
    [file] = tmp_path.glob("Orders-rec-*.json")
    assert json.loads(file.read_text()) == [{"n": 5}]


@pytest.mark.parametrize(("text", "said"), [("[1]", "not a list of objects"), ("[{", "JSON")])
def test_a_broken_recording_is_an_error(
    run_snap: Any, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "x.json").write_text(text)
    run = run_snap("RecordReplay", {"path": "x.json"}, on_error="route")
    assert run.output == []
    assert said in str(run.errors)


def test_a_negative_count_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="document_count must be 0 or more, got -1"):
        run_snap("RecordReplay", {"path": "x.json", "document_count": -1}, [])


def test_requests_pass_and_are_recorded_at_once(tmp_path: Path) -> None:
    snaps = "  r: {snap: RecordReplay, path: x.json}"
    outcomes, _ = run_ultra(tmp_path, snaps, [], requests(1, 2), requests(3))
    assert outcomes.answers == {n: [{"request": n}] for n in (1, 2, 3)}
    recorded = json.loads((tmp_path / "x.json").read_text())
    assert recorded == [{"request": n} for n in (1, 2, 3)]
