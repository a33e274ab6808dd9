"""An output view that was removed from a snap gives a caller nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main
from tests.slp.conftest import Import
from tests.slp.exports import (
    FORMATTER,
    GENERATOR,
    WRITER,
    Json,
    export,
    mapper,
    snap,
    value,
    views,
    write,
)

EXECUTE = "com-snaplogic-snaps-flow-pipeexec"


def _writing(*, open_view: bool) -> Json:
    """A pipeline that writes a file, and may have a Mapper whose output is open."""
    snaps = {
        "data": snap(GENERATOR, "Data", {"editable_content": value("[{}]")}, inputs={}),
        "format": snap(FORMATTER, "Format", {}, version=2, outputs=views("output0", kind="binary")),
        "write": snap(
            WRITER,
            "Write",
            {"filename": value("out.json")},
            version=3,
            inputs=views("input0", kind="binary"),
            outputs={},
        ),
    }
    if open_view:
        snaps["more"] = snap(GENERATOR, "More", {"editable_content": value("[{}]")}, inputs={})
        snaps["result"] = mapper("Result", [("1", "$n")])
    links = ["data format", "format write"]
    return export(snaps, [*links, "more result"] if open_view else links)


def test_it_is_left_as_it_is_where_nobody_calls_the_pipeline(imported: Import) -> None:
    assert "open_output" not in imported(_writing(open_view=False))


def test_it_is_closed_where_the_pipeline_has_an_open_view(imported: Import, tmp_path: Path) -> None:
    first = imported(_writing(open_view=True))
    assert "    file: out.json\n    open_output: false\n" in first
    assert first.count("open_output") == 1
    again = str(tmp_path / "orders.slp")
    assert main(["export", str(tmp_path / "project" / "orders.yaml"), "-o", again]) == 0
    assert main(["import", again, "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "orders.yaml").read_text() == first


def _import(folder: Path) -> str:
    assert main(["import", str(folder / "in"), "-o", str(folder / "project")]) == 0
    return (folder / "project" / "child.yaml").read_text()


def test_it_is_closed_where_another_pipeline_runs_the_pipeline(tmp_path: Path) -> None:
    write(tmp_path, "in/child.slp", _writing(open_view=False))
    run = snap(EXECUTE, "Run", {"pipeline": value("child")}, inputs={}, outputs={})
    write(tmp_path, "in/parent.slp", export({"run": run}))
    assert "open_output: false" in _import(tmp_path)


def test_it_is_closed_where_a_task_runs_the_pipeline(tmp_path: Path) -> None:
    write(tmp_path, "in/child.slp", _writing(open_view=False))
    task = {"job_name": "T", "schedule": {}, "parameters": {"pipeline_path": "../shared/child"}}
    write(tmp_path, "in/t.slt", task)
    assert "open_output: false" in _import(tmp_path)


def test_a_run_of_the_export_shows_no_document_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "child.slp", _writing(open_view=False))
    assert main(["run", str(file), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "out.json").exists()
