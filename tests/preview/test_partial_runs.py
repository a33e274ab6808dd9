"""`engine run` with --to, --limit and --dry-run runs a part of a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.cli import main

PIPELINE = """
pipeline: P
snaps:
  read: {snap: FileReader, file: a.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  large: {snap: Filter, filter: $n > 1}
  map: {snap: Mapper, mappings: {$m: $n * 2}}
  text: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> large -> map -> text -> write]
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(PIPELINE)
    Path("a.jsonl").write_text("".join(f'{{"n": {n}, "s": "t"}}\n' for n in range(1, 6)))

    def run(*options: str) -> Ran:
        return Ran(main(["run", "p.yaml", "--quiet", *options]), *capsys.readouterr())

    return run


def test_a_run_up_to_a_snap_prints_what_leaves_it(run: Callable[..., Ran]) -> None:
    ran = run("--to", "large")
    assert ran.code == 0
    assert ran.out.splitlines() == [f'{{"n":{n},"s":"t"}}' for n in range(2, 6)]
    assert not Path("out.jsonl").exists()


def test_a_run_up_to_an_unknown_snap_is_a_mistake(run: Callable[..., Ran]) -> None:
    ran = run("--to", "larg")
    assert ran.code == 2
    assert "--to: there is no snap 'larg'; did you mean 'large'?" in ran.err


def test_a_limited_run_takes_the_first_documents_of_a_source_and_writes_them(
    run: Callable[..., Ran],
) -> None:
    assert run("--limit", "3").code == 0
    assert Path("out.jsonl").read_text() == '{"m":4}\n{"m":6}\n'


def test_a_limited_run_copies_binary_streams_completely(run: Callable[..., Ran]) -> None:
    Path("big.bin").write_bytes(b"x" * 3_000_000)
    Path("p.yaml").write_text("""
pipeline: P
snaps:
  read: {snap: FileReader, file: big.bin}
  write: {snap: FileWriter, file: copy.bin}
links: [read -> write]
""")
    assert run("--limit", "1").code == 0
    assert Path("copy.bin").stat().st_size == 3_000_000


def test_a_limit_counts_documents_of_the_open_input(run: Callable[..., Ran]) -> None:
    Path("p.yaml").write_text("pipeline: P\nsnaps:\n  map: {snap: Mapper, mappings: {$n: $n}}\n")
    ran = run("--limit", "2", "--input", "a.jsonl")
    assert ran.out == '{"n":1}\n{"n":2}\n'


def test_a_dry_run_says_what_it_would_write(run: Callable[..., Ran]) -> None:
    ran = run("--dry-run")
    assert ran.code == 0
    assert ran.err == "write: would write 1 binary stream (33 bytes) to 'out.jsonl'\n"
    assert not Path("out.jsonl").exists()


def test_a_dry_run_fails_where_a_run_would(run: Callable[..., Ran]) -> None:
    Path("a.jsonl").write_text('{"n": 2}\n{"m": 3}\n')
    ran = run("--dry-run")
    assert ran.code == 1
    assert "`$n` is not in the document" in ran.err


def test_a_dry_run_masks_secrets(run: Callable[..., Ran]) -> None:
    pipeline = PIPELINE.replace("file: out.jsonl", "file: = _token + '.jsonl'")
    declared = "parameters:\n  token: {required: true, secret: true}\nsnaps:"
    Path("p.yaml").write_text(pipeline.replace("snaps:", declared))
    ran = run("--dry-run", "--param", "token=hunter2-hunter2")
    assert ran.code == 0
    assert ran.err.endswith("to '***.jsonl'\n")
