"""Pipelines of the real platform run straight from their exports, with the platform's outputs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import main
from engine.registry import discover
from engine.slp.export_file import read_export
from engine.testing import run_pipeline

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
CASES = sorted(GOLDEN.glob("*/pipeline.slp"))

pytestmark = pytest.mark.skipif(not CASES, reason="the golden cases are not beside the repository")


@pytest.fixture(params=CASES, ids=lambda path: path.parent.name)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the export and its files, as it would lie in a project."""
    source: Path = request.param
    shutil.copy(source, tmp_path / "pipeline.slp")
    for file in (source.parent / "resources").glob("*"):
        shutil.copy(file, tmp_path / file.name)
    for name in _missing(source):
        pytest.skip(f"there is no snap here yet for {name}")
    return source.parent


def _missing(path: Path) -> Iterator[str]:
    known = discover().by_foreign_id()
    export = read_export(path.read_bytes(), str(path))
    yield from (snap.class_id for snap in export.snaps.values() if snap.class_id not in known)


def test_the_output_is_that_of_the_platform(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = json.loads((case / "task.json").read_text())
    for request in task.get("requests", []):
        given = [f"--param={name}={value}" for name, value in request["params"].items()]
        assert main(["run", str(tmp_path / "pipeline.slp"), "--quiet", *given]) == 0
        answered = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        expected = json.loads((case / "expected" / f"{request['name']}.json").read_text())
        assert answered == expected
    if name := task.get("output_filename"):
        assert main(["run", str(tmp_path / "pipeline.slp"), "--quiet"]) == 0
        assert (tmp_path / name).read_bytes() == (case / "expected" / name).read_bytes()


def test_import_and_export_are_stable(case: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["import", str(tmp_path / "pipeline.slp"), "-o", str(first)]) == 0
    target = str(tmp_path / "out" / "pipeline.slp")
    (tmp_path / "out").mkdir()
    assert main(["export", str(first / "pipeline.yaml"), "-o", target]) == 0
    assert main(["import", target, "-o", str(second)]) == 0
    texts = [(folder / "pipeline.yaml").read_text() for folder in (first, second)]
    assert texts[0] == texts[1]


def test_the_imported_pipeline_does_what_the_export_does(case: Path, tmp_path: Path) -> None:
    assert main(["import", str(tmp_path / "pipeline.slp"), "-o", str(tmp_path)]) == 0
    files = {path.name: path.read_bytes() for path in (case / "resources").glob("*")}
    run = run_pipeline(tmp_path / "pipeline.yaml", files=files)
    name = json.loads((case / "task.json").read_text()).get("output_filename")
    if name:
        assert run.files[name] == (case / "expected" / name).read_bytes()
