"""`engine run` starts, and completes, wherever a file may not matter or may appear in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tfjs.documents import DENSE

ROUTER = """
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
  route:
    snap: Router
    routes: [{{condition: $n > 5, output: high}}, {{condition: $n <= 5, output: low}}]
  high: {{snap: {formatter}}}
  write: {{snap: FileWriter, file: missing/high.txt}}
  low: {{snap: {formatter}}}
  kept: {{snap: FileWriter, file: low.txt}}
links: [make -> route, route.high -> high -> write, route.low -> low -> kept]
"""
EMPTY = """
snaps:
  read: {snap: FileReader, file: empty.json}
  parse: {snap: JSONParser}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: missing/all.jsonl}
links: [read -> parse -> format -> write]
"""
NO_ERRORS = """
error_pipeline: errors.yaml
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  map: {snap: Mapper, mappings: {$n: $n}}
links: [make -> map]
"""
ERRORS = """
snaps:
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: missing/errors.jsonl}
links: [format -> write]
"""
NOTHING_TO_READ = """
parameters: {extra: {default: ""}}
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  some: {snap: Filter, filter: "_extra != ''"}
  more: {snap: FileReader, file: "= 'more/' + (_extra || 'none') + '.csv'"}
  parse: {snap: CSVParser}
links: [make -> some -> more -> parse]
"""
REMOVED = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  remove:
    snap: RemotePythonScript
    source: |
      import os

      def snaplogic_process(row):
          os.remove('out.json')
          return row
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json, file_action: error}
links: [make -> remove -> format -> write]
"""


def written_and_read(settings: str, file: str) -> str:
    """A pipeline that reads a file that it has written."""
    return f"""
snaps:
  make: {{snap: JSONGenerator, documents: [{{n: 1}}]}}
  format: {{snap: JSONFormatter, header: {{$n: $n}}}}
  write: {{snap: FileWriter, {settings}}}
  again: {{snap: FileReader, file: {file}}}
  parse: {{snap: JSONParser}}
links: [make -> format -> write -> again -> parse]
"""


@pytest.mark.parametrize(
    ("pipeline", "warns_of"),
    [
        (ROUTER.format(formatter="JSONFormatter, json_lines: true"), "missing"),
        (ROUTER.format(formatter="CSVFormatter, ignore_empty_stream: true"), "missing"),
        (EMPTY, "missing"),
        (NO_ERRORS, "missing"),
        (NOTHING_TO_READ, "more/none.csv"),
        (written_and_read("file: link/x.json", "real/x.json"), ""),
        (written_and_read("file: x.json, write_header_file: true", "x.json.header"), ""),
        (REMOVED, "out.json"),
    ],
    ids=[
        "a branch without documents",
        "an empty stream that is ignored",
        "a file without documents",
        "an error pipeline without errors",
        "a reader without documents",
        "a link to a folder",
        "a header file",
        "a script that removes the file",
    ],
)
def test_a_run_that_need_not_fail_completes(
    engine: Any, tmp_path: Path, pipeline: str, warns_of: str
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "empty.json").write_text("[]")
    (tmp_path / "out.json").write_text("old")
    (tmp_path / "errors.yaml").write_text(ERRORS)
    (tmp_path / "flow.yaml").write_text(pipeline)
    done = engine("run", "flow.yaml")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stderr.splitlines() if "| warning:" in line]
    assert len(lines) == bool(warns_of), done.stderr
    assert warns_of in done.stderr


def test_a_file_in_the_folder_of_a_model_is_written_first(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(DENSE, default=str))
    (tmp_path / "flow.yaml").write_text("""
snaps:
  read: {snap: FileReader, file: model.json}
  parse: {snap: JSONParser}
  model: {snap: TFJSWriter, folder: web}
  again: {snap: FileReader, file: web/model.json}
  parse again: {snap: JSONParser}
links: [read -> parse -> model -> again -> parse again]
""")
    done = engine("run", "flow.yaml")
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr
    assert "modelTopology" in done.stdout


def test_another_program_may_create_the_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "order")
    (tmp_path / "flow.yaml").write_text("""
snaps:
  read: {snap: FileReader, file: order}
  write: {snap: FileWriter, file: done/order.txt}
links: [read -> write]
""")
    with subprocess.Popen(
        [sys.executable, "-m", "engine", "run", "flow.yaml"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        shown = iter(process.stderr.readline, "")
        assert any("warning:" in line for line in shown)
        (tmp_path / "done").mkdir()
        (tmp_path / "order").write_text("1")
        rest = process.stderr.read()
    assert process.returncode == 0, rest
