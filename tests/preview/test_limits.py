"""A preview takes only the first documents from each source, and runs only what it needs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Preview = Callable[..., Any]
MIB = 1024 * 1024
ROUTED = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}, {n: 3}, {n: 4}]}
  route: {snap: Router, routes: {small: $n < 3, large: $n >= 3}}
  double: {snap: Mapper, mappings: {$n: $n * 2}}
  last: {snap: Mapper, mappings: {$n: $n + 1}}
links:
  - make -> route
  - route.small -> double -> last
"""


@pytest.mark.parametrize(
    ("name", "parser", "head", "line"),
    [
        ("big.jsonl", "{snap: JSONParser, json_lines: true}", b"", b'{"n": 1, "text": "abc"}\n'),
        ("big.csv", "{snap: CSVParser}", b"n,text\n", b"1,abc\n"),
        ("big.json", "{snap: JSONParser}", b"[1", b',{"n": 1}'),
    ],
)
def test_of_a_large_file_only_the_beginning_is_read(
    name: str, parser: str, head: bytes, line: bytes, preview: Preview, tmp_path: Path
) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(head if name != "big.json" else b'[{"n": 1}')
        for _ in range(16):
            file.write(line * (MIB // len(line)))
    shown = preview(
        f"""
snaps:
  read: {{snap: FileReader, file: {name}}}
  parse: {parser}
  keep: {{snap: Mapper, mappings: {{$n: $n}}}}
links: [read -> parse -> keep]
""",
        "--limit",
        "3",
    )
    assert shown.code == 0
    assert len(shown.items["parse.output"]) == len(shown.items["keep.output"]) == 3
    assert shown.items["read.output"][0]["size"] < 8 * MIB


@pytest.mark.parametrize(
    ("content", "parser"),
    [
        (b"\x00" * MIB, "{snap: JSONParser, json_lines: true}"),
        (b"a line of a log\n" * 65_536, "{snap: JSONParser, json_lines: true}"),
        (b"<a>&nothing;" * 80_000, "{snap: XMLParser}"),
    ],
)
def test_a_large_file_of_another_format_is_not_read_to_its_end(
    content: bytes, parser: str, preview: Preview, tmp_path: Path
) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.writelines([content] * 64)
    shown = preview(f"""
snaps:
  read: {{snap: FileReader, file: big.txt}}
  parse: {parser}
links: [read -> parse]
""")
    assert shown.code == 1
    assert shown.counts["parse"]["errors"] > 0
    assert shown.items["read.output"][0]["size"] < 32 * MIB


def test_a_large_file_that_is_only_copied_is_not_read_to_its_end(
    preview: Preview, tmp_path: Path
) -> None:
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(64 * MIB)
    shown = preview("""
snaps:
  read: {snap: FileReader, file: big.bin}
  pack: {snap: Compress, scheme: gzip}
  write: {snap: FileWriter, file: copy.bin}
  other: {snap: FileReader, file: big.bin}
  same: {snap: FileWriter, file: same.bin}
links: [read -> pack -> write, other -> same]
""")
    assert shown.counts["same"]["note"] == (
        "would write 1 binary stream (more than 1 MiB) to 'same.bin'"
    )
    assert shown.items["other.output"][0]["size"] < 8 * MIB
    assert shown.items["read.output"][0]["size"] < 8 * MIB


def test_a_source_that_blocks_is_ended_when_there_is_enough(
    preview: Preview, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    is_over = threading.Event()

    def feed() -> None:
        with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
            pipe.write(b'{"n": 1}\n{"n": 2}\n{"n": 3}\n')
            is_over.wait(240)

    thread = threading.Thread(target=feed)
    thread.start()
    shown = preview(
        """
snaps:
  read: {snap: FileReader, file: pipe}
  parse: {snap: JSONParser, json_lines: true}
links: [read -> parse]
""",
        "--limit",
        "2",
    )
    is_over.set()
    thread.join()
    assert shown.code == 0
    assert shown.items["parse.output"] == [{"n": 1}, {"n": 2}]


def test_a_snap_that_collects_documents_gets_those_that_were_taken(preview: Preview) -> None:
    shown = preview(
        """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 3}, {n: 1}, {n: 2}]}
  sort: {snap: Sort, sort_paths: [$n]}
links: [make -> sort]
""",
        "--limit",
        "2",
    )
    assert shown.items["sort.output"] == [{"n": 1}, {"n": 3}]


def test_only_the_snaps_before_the_given_one_run(preview: Preview) -> None:
    shown = preview(ROUTED, "--to", "route")
    assert set(shown.counts) == {"make", "route"}
    assert shown.items["route.small"] == [{"n": 1}, {"n": 2}]
    assert shown.items["route.large"] == [{"n": 3}, {"n": 4}]


def test_only_the_given_view_is_shown(preview: Preview) -> None:
    shown = preview(ROUTED, "--to", "route.large")
    assert "route.small" not in shown.items
    assert shown.items["route.large"] == [{"n": 3}, {"n": 4}]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("rute", "--to: there is no snap 'rute'; did you mean 'route'?"),
        ("route.lrge", "the snap 'route' has no output view 'lrge'; did you mean 'large'?"),
    ],
)
def test_an_unknown_end_is_a_mistake(option: str, message: str, preview: Preview) -> None:
    shown = preview(ROUTED, "--to", option)
    assert shown.code == 2
    assert message in shown.err


def test_documents_are_given_to_open_inputs(preview: Preview) -> None:
    Path("a.json").write_text('[{"n": 9007199254740993}, {"n": 10.00}, {"n": 3}]')
    Path("b.json").write_text('{"n": 5}')
    pipeline = """
snaps:
  first: {snap: Mapper, mappings: {$n: $n}}
  second: {snap: Mapper, mappings: {$n: $n}}
  union: {snap: Union}
links: [first -> union, second -> union]
"""
    given = ("--input", "first=a.json", "--input", "second.input=b.json", "--limit", "2")
    shown = preview(pipeline, *given)
    assert shown.code == 0
    assert '"document":{"n":9007199254740993}' in shown.out
    assert '"document":{"n":10.00}' in shown.out
    assert shown.items["second.output"] == [{"n": 5}]
    assert shown.counts["first"]["in"] == 2


def test_an_input_must_be_named_if_there_are_several(preview: Preview) -> None:
    Path("a.json").write_text("{}")
    shown = preview(
        """
snaps:
  first: {snap: Mapper, mappings: {$n: "1"}}
  second: {snap: Mapper, mappings: {$n: "1"}}
  union: {snap: Union}
links: [first -> union, second -> union]
""",
        "--input",
        "a.json",
    )
    assert shown.code == 2
    assert "must say which open input it is for, as in first.input=FILE" in shown.err


def test_an_input_needs_an_open_input(preview: Preview) -> None:
    shown = preview(ROUTED, "--input", "a.json")
    assert shown.code == 2
    assert "--input needs an open input" in shown.err


def test_a_limit_must_be_positive(preview: Preview, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        preview(ROUTED, "--limit", "0")
    assert "'0' must be a whole number of at least 1" in capsys.readouterr().err
