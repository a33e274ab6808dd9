"""Bad input is reported with name and place, routed by `on_error`, and leaves no partial output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
snaps:
  read: {{snap: FileReader, file: {file}, on_error: {on_error}}}
  parse: {{snap: JSONParser, json_lines: {lines}, on_error: {on_error}}}
  format: {{snap: JSONFormatter, json_lines: true, on_error: {on_error}}}
  write: {{snap: FileWriter, file: out.jsonl}}
{error_snaps}
links:
  - read -> parse -> format -> write
{error_links}
"""

ERROR_SNAPS = """
  errors: {snap: Union}
  report:  # without `original`, which holds values that JSON cannot
    snap: Mapper
    mappings: {$error: $error, $reason: $reason, $stacktrace: $stacktrace}
"""

ERROR_LINKS = """
  - read.error -> errors
  - parse.error -> errors
  - format.error -> errors -> report
"""

INPUTS: dict[str, tuple[bytes, list[str]]] = {
    "malformed": (b'{"a": 1}\n{"a": \n', ["line"]),
    "empty": (b"", ["empty"]),
    "wrong encoding": ('{"a": "caf\u00e9"}'.encode("latin-1"), ["UTF-8"]),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ["UTF-16"]),
    "deep nesting": (b"[" * 100_000, ["nest"]),
    "not an object": (b"[1, 2]", ["1"]),
    "NaN": (b'{"a": NaN}', ["NaN", "nan"]),
    "cut off": (b'[{"a": 1}, {"a": 2', []),
}


def write_pipeline(
    folder: Path, *, file: str = "in.json", lines: bool = False, route: bool
) -> None:
    text = PIPELINE.format(
        file=file,
        lines=str(lines).lower(),
        on_error="route" if route else "stop",
        error_snaps=ERROR_SNAPS if route else "",
        error_links=ERROR_LINKS if route else "",
    )
    (folder / "pipeline.yaml").write_text(text)


@pytest.mark.parametrize("what", INPUTS)
def test_bad_input_stops_the_pipeline_with_a_clear_error(
    what: str, engine: Any, tmp_path: Path
) -> None:
    data, says = INPUTS[what]
    (tmp_path / "in.json").write_bytes(data)
    (tmp_path / "out.jsonl").write_text("old")
    write_pipeline(tmp_path, route=False)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not says or any(words in done.stderr for words in says)
    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["in.json", "out.jsonl", "pipeline.yaml"]  # noqa: PTH208


def test_the_error_names_the_file_and_the_place_and_says_what_to_do(
    engine: Any, tmp_path: Path
) -> None:
    number = "7" * 5000
    (tmp_path / "in.json").write_text(f'[{{"n": 1}},\n {{"n": {number}}}]')
    write_pipeline(tmp_path, route=False)
    done = engine("run", "pipeline.yaml", "--quiet")
    assert f"failed on the stream from '{tmp_path / 'in.json'}'" in done.stderr
    assert "the number has 5,000 digits; the limit is 4,300 (line 2, column 8" in done.stderr
    assert "hint: write the number in quotes, as a string, if all its digits" in done.stderr
    assert number not in done.stderr


def test_only_the_part_around_a_mistake_is_shown_of_a_very_long_line(
    engine: Any, tmp_path: Path
) -> None:
    many = "$a, " * 1000
    text = f'snaps:\n  compute: {{snap: Mapper, mappings: {{$b: "[{many}nothing, {many}1]"}}}}\n'
    (tmp_path / "p.yaml").write_text(text)
    _, line, carets, _ = engine("validate", "p.yaml").stderr.splitlines()
    assert len(line) < 300
    assert line[carets.index("^") : carets.rindex("^") + 1] == "nothing"


def error_documents(output: str) -> list[Any]:
    """The error documents among the lines of a pipeline with several open outputs."""
    documents = [json.loads(line) for line in output.splitlines()]
    return [document for document in documents if "error" in document]


@pytest.mark.parametrize("what", INPUTS)
def test_bad_input_is_routed_as_an_error_document(what: str, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(INPUTS[what][0])
    write_pipeline(tmp_path, route=True)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 0, done.stderr
    errors = error_documents(done.stdout)
    assert errors
    for error in errors:
        assert error["error"]
        assert error["reason"]
        assert "Traceback" not in error["stacktrace"]


def test_a_bad_line_fails_alone(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"n": 1}\nnot json at all\n{"n": 3}\n')
    write_pipeline(tmp_path, lines=True, route=True)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 0
    assert (tmp_path / "out.jsonl").read_text() == '{"n":1}\n{"n":3}\n'
    (error,) = error_documents(done.stdout)
    assert "line 2" in error["error"] + error["reason"]
    assert "not json at all" in error["error"] + error["reason"]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("nowhere.json", "the file does not exist"),
        ("sldb:///../secret.json", "outside the project"),
        ("folder", "it is a folder"),
        ("nosuch://bucket/x", "nosuch"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    file: str, says: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    write_pipeline(tmp_path, file=file, route=False)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 1
    assert says in done.stderr
    assert "snap 'read' (FileReader at pipeline.yaml:3:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_named(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("{}")
    (tmp_path / "in.json").chmod(0)
    write_pipeline(tmp_path, route=False)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 1
    assert "permission denied" in done.stderr


def test_a_huge_array_streams_in_flat_memory(engine: Any, tmp_path: Path) -> None:
    element = b'{"text": "' + b"x" * 1000 + b'"}'
    with (tmp_path / "in.json").open("wb") as file:
        file.write(b"[")
        for _ in range(100):
            file.write((element + b",") * 1000)
        file.write(element + b"]")
    write_pipeline(tmp_path, route=False)
    (tmp_path / "limited.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.__main__ import main\n"
        "sys.argv = ['engine', 'run', 'pipeline.yaml']\n"
        "code = main()\n"
        "status = Path('/proc/self/status').read_text()\n"  # of this program, not of its parent
        "print(int(status.split('VmHWM:')[1].split()[0]) // 1024)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "limited.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    peak_mib = int(done.stdout.splitlines()[-1])
    assert peak_mib < 120  # the file has 100 MiB, and its documents would have more
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 100_001
