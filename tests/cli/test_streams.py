"""Standard output contains only documents, and its reader may leave at any time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TWO_OUTPUTS = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}]}
  split: {snap: Copy}
  plain: {snap: Mapper, mappings: {$b: $a}}
  text: {snap: JSONFormatter}
links: [make -> split -> plain, split -> text]
"""
TWO_ARRAYS = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}]}
  text: {snap: JSONFormatter, format_each_document: true}
links: [make -> text]
"""
OWN_SNAP = '''
import os
import subprocess
from engine.sdk import Document, Settings, Snap


class ChattySettings(Settings):
    pass


class Chatty(Snap[ChattySettings]):
    """Prints while it works."""

    def process(self, document: Document) -> Document:
        print("from the snap")
        subprocess.run(["echo", "from a program"], check=True)
        return document
'''


def test_lines_name_the_output_if_several_are_open(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO_OUTPUTS)
    lines = [json.loads(line) for line in engine("run", "two.yaml").stdout.splitlines()]
    documents = [line for line in lines if line["$output"] == "plain.output"]
    pieces = [line["text"] for line in lines if line["$output"] == "text.output"]
    assert documents == [{"$output": "plain.output", "b": n} for n in (1, 2)]
    assert json.loads("".join(pieces)) == [{"a": 1}, {"a": 2}]
    assert len(documents) + len(pieces) == len(lines)


def test_bytes_that_are_not_text_are_written_as_base64(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
    (tmp_path / "two.yaml").write_text("""
    snaps:
      image: {snap: FileReader, file: image.png}
      other: {snap: JSONGenerator, documents: {}}
    """)
    lines = [json.loads(line) for line in engine("run", "two.yaml").stdout.splitlines()]
    assert {"$output": "image.output", "base64": "iVBOR/8="} in lines
    assert {"$output": "other.output"} in lines


def test_two_streams_of_text_do_not_run_together(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "arrays.yaml").write_text(TWO_ARRAYS)
    printed = engine("run", "arrays.yaml").stdout
    assert [json.loads(line) for line in printed.splitlines()] == [{"a": 1}, {"a": 2}]


def test_a_single_binary_stream_is_written_byte_for_byte(tmp_path: Path) -> None:
    data = b"\x89PNG\r\n\x00\xff"
    (tmp_path / "image.png").write_bytes(data)
    (tmp_path / "copy.yaml").write_text("snaps: {image: {snap: FileReader, file: image.png}}")
    done = subprocess.run(
        [sys.executable, "-m", "engine", "run", "copy.yaml"],
        cwd=tmp_path,
        capture_output=True,
        timeout=240,
        check=True,
    )
    assert done.stdout == data


def test_what_a_snap_prints_goes_to_standard_error(
    engine: Any, tmp_path: Path, with_snap: Any
) -> None:
    (tmp_path / "chatty.yaml").write_text("snaps: {talk: {snap: Chatty}}")
    done = engine("run", "chatty.yaml", env=with_snap("chatty", OWN_SNAP))
    assert done.stdout == "{}\n"
    assert "from the snap\n" in done.stderr
    assert "from a program\n" in done.stderr


LOTS = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: "sl.range(200)"}]}
  run: {snap: RemotePythonScript, source: "def snaplogic_process(row):\\n
          \\  return [{'i': i} for i in range(200000)]"}
links: [make -> run]
"""


@pytest.mark.parametrize("where", ["| head -1", "2>&1 | head -1"])
def test_a_reader_that_leaves_ends_the_run_quietly(tmp_path: Path, where: str) -> None:
    (tmp_path / "lots.yaml").write_text(LOTS)
    command = f"{sys.executable} -m engine run lots.yaml {where}; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert done.stdout == '{"i":0}\n141\n'
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["--help", "validate echo.yaml", "eval 1+1"])
def test_no_command_complains_about_a_reader_that_has_left(tmp_path: Path, command: str) -> None:
    (tmp_path / "echo.yaml").write_text("snaps: {a: {snap: Mapper, mappings: {$b: 1}}}")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "engine", *command.split()],
            cwd=tmp_path,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 141 or command == "--help"  # which argparse writes


@pytest.mark.parametrize("count", [1, 5000])
def test_documents_that_cannot_be_written_fail_the_run_with_one_message(
    tmp_path: Path, count: int
) -> None:
    (tmp_path / "sequence.yaml").write_text(
        f"snaps: {{a: {{snap: Sequence, number_of_documents: {count}}}}}"
    )
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine", "run", "--quiet", "sequence.yaml"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "documents were lost: cannot write to standard output: No space left on device\n"
    )


STOPPED_WHILE_IMPORTING = """
import os, signal, sys

class Presser:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored if the tests run in background
sys.meta_path.insert(0, Presser())
sys.argv = ["engine", *{arguments!r}]
from engine.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("engine.cli", ["--version"]),
        ("engine.expressions", ["run", "echo.yaml"]),
        ("msgspec", ["eval", "1"]),
        ("asyncio", ["run", "filter.yaml"]),
        ("snaps.flow.filter", ["validate", "filter.yaml"]),
        ("snaps.flow.filter", ["run", "filter.yaml"]),
        ("engine.tasks.server.server", ["serve", "filter.yaml", "--port", "0"]),
        ("engine.cli.repl", ["eval"]),
        ("engine.script.server", ["executor", "--port", "0", "--token-file", "t"]),
        ("engine.tasks.scheduled.history", ["history", "filter.yaml"]),
        ("engine.tasks.server.control", ["tasks"]),
    ],
)
def test_an_interrupt_while_a_command_starts_is_one_word(
    module: str, arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "filter.yaml").write_text("snaps: {keep: {snap: Filter, filter: $a > 1}}")
    program = STOPPED_WHILE_IMPORTING.format(module=module, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "stopped\n")


def test_json_stays_json_where_the_terminal_knows_ascii_only(tmp_path: Path) -> None:
    snaps = 'ä: {snap: JSONGenerator, documents: [{a: "ü😀"}]}'
    (tmp_path / "p.yaml").write_text(f"snaps: {{{snaps}}}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "engine", "preview", "p.yaml"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=240,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path.cwd())},
    )
    first = json.loads(done.stdout.splitlines()[0])
    assert (first["label"], first["document"]) == ("ä", {"a": "ü😀"})
