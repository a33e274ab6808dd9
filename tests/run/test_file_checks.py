"""What could not be read or written is told before anything works; certain failures end the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from engine.documents import Document
from engine.errors import EngineError
from engine.sdk import Snap
from tests.run.flowing import Watching, run


class Works(Snap):  # type: ignore[type-arg]
    """Takes note that it has begun to work."""

    worked: ClassVar[list[Any]] = []

    def process(self, document: Document) -> Document:
        self.worked.append(document)
        return document


class Shown(Watching):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def show(self, label: str, text: str, request_id: str = "") -> None:
        when = "late " if Works.worked else ""
        self.lines.append(f"{when}{label}: {text}")


@pytest.fixture(autouse=True)
def _nothing_worked() -> None:
    Works.worked.clear()


def started(tmp_path: Path, writer: str, before: str = "") -> tuple[EngineError | None, list[str]]:
    """The failure of a pipeline that works before it writes, and the lines that it showed."""
    text = f"""
parameters: {{folder: {{default: nowhere}}}}
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
  train: {{snap: Works}}
{before}
  format: {{snap: JSONFormatter, header: {{$name: "'a.json'"}}}}
  write: {writer}
links:
  - make -> train -> {"between -> " if "between:" in before else ""}format -> write
"""
    shown = Shown()
    _, failure, _ = run(tmp_path, text, Works, observer=shown)
    return failure, shown.lines


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            "file: models/a.json",
            "cannot write the file '{0}/models/a.json': the folder '{0}/models' does not exist",
        ),
        ("file: \"= _folder + '/a.json'\"", "the folder '{0}/nowhere' does not exist"),
        ("file: sldb:///models/a.json", "the folder '{0}/models' does not exist"),
        (
            "file: \"= 'models/' + $name\"",
            "cannot write into the folder '{0}/models': the folder does not exist",
        ),
        ("file: \"= 'models/' + Date.now().getTime()\"", "the folder does not exist"),
        ("file: old", "'{0}/old': it is a folder"),
        ("file: kept.json/a.json", "'{0}/kept.json' is a file, not a folder"),
        ("file: kept.json/a/b.json, create_dir: true", "'{0}/kept.json' is a file, not a folder"),
        ("file: kept.json, file_action: error", "exists, and file_action is 'error'"),
        ("file: https://example.com/a.json", "files of https:// can only be read"),
        ("file: sss://bucket/a.json", "the scheme 'sss' is not known"),
    ],
)
def test_a_target_that_cannot_be_written_is_warned_of_before_anything_works(
    tmp_path: Path, settings: str, says: str
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "kept.json").write_text("1")
    failure, lines = started(tmp_path, f"{{snap: FileWriter, {settings}}}")
    assert lines[0].startswith("write: warning: cannot write ")
    assert says.format(tmp_path) in lines[0]
    assert "snap 'write' (FileWriter" in str(failure)


def test_the_warning_says_what_to_do(tmp_path: Path) -> None:
    _, lines = started(tmp_path, "{snap: FileWriter, file: models/a.json}")
    assert lines == [
        f"write: warning: cannot write the file '{tmp_path}/models/a.json': the folder "
        f"'{tmp_path}/models' does not exist, so the snap fails when something arrives, unless "
        "that changes first; create it, or set create_dir to true"
    ]


@pytest.mark.parametrize(
    "settings",
    [
        "file: models/a.json, create_dir: true",
        "file: kept.json, file_action: append",
        "file: kept.json, file_action: ignore",
        "file: kept.json",
        "file: /dev/null",
        'file: "= $name"',
        "file: \"= 'kept' + $name\"",
    ],
)
def test_a_target_that_can_be_written_is_written(tmp_path: Path, settings: str) -> None:
    (tmp_path / "kept.json").write_text("1")
    failure, lines = started(tmp_path, f"{{snap: FileWriter, {settings}}}")
    assert failure is None
    assert lines == []


@pytest.mark.parametrize("action", ["route", "discard"])
def test_a_pipeline_that_handles_the_failure_starts(tmp_path: Path, action: str) -> None:
    error = ", on_error: discard" if action == "discard" else ", on_error: route"
    text = f"""
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
  format: {{snap: JSONFormatter}}
  write: {{snap: FileWriter, file: models/a.json{error}}}
  errors: {{snap: Mapper, mappings: {{$reason: $reason}}}}
links: [make -> format -> write, write.error -> errors]
"""
    if action == "discard":
        text = text.replace(", write.error -> errors", "").replace("  errors:", "  # errors:")
    _, failure, observer = run(tmp_path, text)
    assert failure is None
    if action == "route":
        reason = f"the folder '{tmp_path}/models' does not exist"
        assert observer.outputs["errors.output"] == [{"reason": reason}]


SCRIPT = """
import os
def snaplogic_process(row):
    os.makedirs('models')
    return row
"""
CHILD = """
snaps:
  in: {snap: JSONFormatter}
  out: {snap: FileWriter, file: models/other.json, create_dir: true}
links: [in -> out]
"""


def in_yaml(source: str) -> str:
    lines = "".join(f"      {line}\n" for line in source.strip().splitlines())
    return f"  between:\n    snap: RemotePythonScript\n    source: |\n{lines}"


@pytest.mark.parametrize(
    "before",
    [
        in_yaml(SCRIPT),
        "  between: {snap: PipelineExecute, pipeline: child.yaml}",
        "  between: {snap: Makes}",
    ],
)
def test_a_folder_that_a_snap_before_may_create_is_only_warned_of(
    tmp_path: Path, before: str
) -> None:
    (tmp_path / "child.yaml").write_text(CHILD)

    class Makes(Snap):  # type: ignore[type-arg]
        makes_files = True

        def process(self, document: Document) -> Document:
            (tmp_path / "models").mkdir()
            return document

    text = f"""
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
{before}
  format: {{snap: JSONFormatter}}
  write: {{snap: FileWriter, file: models/a.json}}
links: [make -> between -> format -> write]
"""
    shown = Shown()
    _, failure, _ = run(tmp_path, text, Makes, observer=shown)
    assert failure is None
    assert (tmp_path / "models" / "a.json").exists()
    assert [line for line in shown.lines if "warning" in line] == [
        f"write: warning: cannot write the file '{tmp_path}/models/a.json': the folder "
        f"'{tmp_path}/models' does not exist, so the snap fails when something arrives, unless "
        "that changes first; create it, or set create_dir to true"
    ]


def test_an_archive_in_a_missing_folder_is_found_too(tmp_path: Path) -> None:
    _, lines = started(tmp_path, "{snap: ZipFileWrite, file: out/a.zip, entry: a.json}")
    assert "write: warning: cannot write" in lines[0]
    assert "create it, or set create_dir to true" in lines[0]


READ_LATE = """
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
  train: {{snap: Works}}
  {between}
  model: {{snap: FileReader, file: {file}}}
links: [make -> train -> {path}model]
"""


FILES = ["model.json", "nowhere/model.json", "old", "sss://a/b"]


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_read_late_is_missed_at_once(tmp_path: Path, file: str) -> None:
    (tmp_path / "old").mkdir()
    shown = Shown()
    _, failure, _ = run(
        tmp_path, READ_LATE.format(between="", file=file, path=""), Works, observer=shown
    )
    assert "cannot read the file" in str(failure)
    assert shown.lines[0].startswith("model: warning: cannot read the file")


class Starts(Snap):  # type: ignore[type-arg]
    """Takes note that the run has started."""

    def start(self) -> list[Document]:
        Works.worked.append("started")
        return []

    def process(self, document: Document) -> Document:
        return document


@pytest.mark.parametrize("file", FILES)
def test_a_run_does_not_start_without_a_file_that_it_certainly_reads(
    tmp_path: Path, file: str
) -> None:
    (tmp_path / "old").mkdir()
    text = f"""
snaps:
  work: {{snap: Starts}}
  model: {{snap: FileReader, file: {file}}}
"""
    _, failure, _ = run(tmp_path, text, Starts)
    assert f"snap 'model' (FileReader at {tmp_path}/pipeline.yaml" in str(failure)
    assert Works.worked == []


def test_a_file_that_the_run_writes_before_it_is_read_is_not_missed(tmp_path: Path) -> None:
    between = "format: {snap: JSONFormatter}\n  write: {snap: FileWriter, file: model.json}"
    text = READ_LATE.format(between=between, file="model.json", path="format -> write -> ")
    _, failure, observer = run(tmp_path, text, Works)
    assert failure is None
    assert b'[{"n":1}]' in observer.outputs["model.output"]


def test_a_file_of_another_name_does_not_help(tmp_path: Path) -> None:
    between = "format: {snap: JSONFormatter}\n  write: {snap: FileWriter, file: other.json}"
    text = READ_LATE.format(between=between, file="model.json", path="format -> write -> ")
    shown = Shown()
    _, failure, _ = run(tmp_path, text, Works, observer=shown)
    assert "the file does not exist" in str(failure)
    assert shown.lines[0].startswith("model: warning: cannot read the file")


def test_a_script_whose_requirements_are_missing_ends_the_run_before_anything_works(
    tmp_path: Path,
) -> None:
    text = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  train: {snap: Works}
  late:
    snap: RemotePythonScript
    requirements: [no-such-package-at-all]
    install: refuse
    source: |
      def snaplogic_process(row):
          return row
links: [make -> train -> late]
"""
    _, failure, _ = run(tmp_path, text, Works)
    assert "no-such-package-at-all" in str(failure)
    place = f"{tmp_path}/pipeline.yaml:5:3"
    assert f"snap 'late' (RemotePythonScript at {place}) failed" in str(failure)
    assert Works.worked == []
