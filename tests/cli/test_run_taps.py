"""`engine run --tap` shows documents that cross links while a pipeline runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.cli.terminals import Terminal

ORDERS = """
pipeline: Orders
parameters: {token: {default: "", secret: true}}
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $n % 1000 == 7}
  shape: {snap: Mapper, mappings: {$m: $n, $who: $name}}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> keep -> shape -> format -> write]
"""
"""Runs as one function from the parser to the formatter."""

SMALL = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1, s: a}, {n: 2, s: b}, {s: c}]}
  shape: {snap: Mapper, mappings: {$m: $n * 2}}
  failed: {snap: Mapper, mappings: {$why: $reason}}
links: [make -> shape, shape.error -> failed]
"""

Tapped = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def tapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tapped:
    """Runs a pipeline with options; what its taps show."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, *options: str) -> list[dict[str, Any]]:
        Path("p.yaml").write_text(pipeline)
        assert main(["run", "p.yaml", "--quiet", *options]) == 0
        lines = capsys.readouterr().err.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    return run


def write_orders(count: int = 10_000) -> None:
    lines = (json.dumps({"n": n, "name": f"x{n}", "v": [n]}) for n in range(count))
    Path("in.jsonl").write_text("".join(f"{line}\n" for line in lines))


def places(shown: list[dict[str, Any]]) -> list[str]:
    return [f"{each['label']}.{each['view']} {each['number']}" for each in shown]


def test_the_first_documents_of_a_view_are_shown(tapped: Tapped) -> None:
    assert tapped(SMALL, "--tap", "make", "--tap-limit", "2") == [
        {"label": "make", "view": "output", "number": 1, "document": {"n": 1, "s": "a"}},
        {"label": "make", "view": "output", "number": 2, "document": {"n": 2, "s": "b"}},
    ]


def test_a_snap_alone_means_all_that_leaves_it(tapped: Tapped) -> None:
    shown = tapped(SMALL, "--tap", "shape")
    assert places(shown) == ["shape.output 1", "shape.output 2", "shape.error 1"]
    assert shown[2]["document"]["original"] == {"s": "c"}


def test_a_linked_input_is_the_view_at_the_other_end(tapped: Tapped) -> None:
    assert places(tapped(SMALL, "--tap", "failed.input")) == ["shape.error 1"]


def test_a_pattern_means_several_snaps_and_each_view_is_shown_once(tapped: Tapped) -> None:
    shown = tapped(SMALL, "--tap", "*.output", "--tap", "make", "--tap-limit", "1")
    assert places(shown) == ["make.output 1", "shape.output 1", "failed.output 1"]


def test_what_enters_an_open_input_is_shown(tapped: Tapped) -> None:
    Path("in.json").write_text('[{"n": 1}, {"n": 2}]')
    pipeline = "snaps: {shape: {snap: Mapper, mappings: {$m: $n}}}"
    shown = tapped(pipeline, "--input", "in.json", "--tap", "shape.input")
    assert [each["document"] for each in shown] == [{"n": 1}, {"n": 2}]
    assert places(shown) == ["shape.input 1", "shape.input 2"]


def test_a_filter_chooses_the_documents(tapped: Tapped) -> None:
    shown = tapped(SMALL, "--tap", "make", "--filter", "$s == 'b' || $n.foo")
    assert places(shown) == ["make.output 2"]


def test_a_filter_sees_the_parameters(tapped: Tapped) -> None:
    pipeline = f"parameters: {{least: {{default: '2'}}}}\n{SMALL}"
    shown = tapped(pipeline, "--tap", "make", "--filter", "$n >= parseInt(_least)")
    assert places(shown) == ["make.output 2"]


def test_all_documents_are_shown_without_a_limit(tapped: Tapped) -> None:
    write_orders(3_000)
    shown = tapped(ORDERS, "--tap", "parse", "--tap-limit", "0")
    assert [each["document"]["n"] for each in shown] == list(range(3_000))
    assert [each["number"] for each in shown] == list(range(1, 3_001))


def test_documents_have_all_fields_where_they_are_tapped(tapped: Tapped) -> None:
    write_orders()
    shown = tapped(ORDERS, "--tap", "parse", "--filter", "$v[0] == 9999")
    assert [each["document"] for each in shown] == [{"n": 9999, "name": "x9999", "v": [9999]}]


def test_few_documents_of_a_fused_filter_are_found_and_numbered(tapped: Tapped) -> None:
    write_orders()
    shown = tapped(ORDERS, "--tap", "keep", "--tap", "shape", "--tap-limit", "3")
    assert places(shown) == [f"{of}.output {n}" for n in (1, 2, 3) for of in ("keep", "shape")]
    assert [each["document"] for each in shown[-2:]] == [
        {"n": 2007, "name": "x2007", "v": [2007]},
        {"m": 2007, "who": "x2007"},
    ]
    lines = Path("out.jsonl").read_text().splitlines()
    assert [json.loads(line)["m"] for line in lines] == list(range(7, 10_000, 1000))


def test_secrets_are_masked(tapped: Tapped) -> None:
    pipeline = (
        "parameters: {token: {required: true, secret: true}}\n"
        "snaps: {make: {snap: JSONGenerator, documents: [{t: hunter2-hunter2, n: 4711}]}}"
    )
    shown = tapped(pipeline, "--tap", "make", "--param", "token=hunter2-hunter2")
    assert shown[0]["document"] == {"t": "***", "n": 4711}


def test_a_binary_stream_is_shown_by_its_header_and_first_bytes(tapped: Tapped) -> None:
    write_orders(2)
    (read, formatted) = tapped(ORDERS, "--tap", "read.output", "--tap", "format.output")
    assert read["header"]["content-length"] == Path("in.jsonl").stat().st_size
    assert read["text"].startswith('{"n": 0, "name": "x0"')
    assert formatted["header"]["content-type"] == "application/x-ndjson"


def test_what_a_later_snap_changes_is_shown_as_it_crossed(tapped: Tapped) -> None:
    pipeline = """
    snaps:
      make: {snap: JSONGenerator, documents: [{list: [1]}]}
      change: {snap: Mapper, mappings: {$size: $list.push(2)}, pass_through: true}
    links: [make -> change]
    """
    shown = tapped(pipeline, "--tap", "make", "--tap-limit", "1")
    assert shown[0]["document"] == {"list": [1]}


def test_taps_may_write_to_a_file(tapped: Tapped) -> None:
    assert tapped(SMALL, "--tap", "make.output", "--tap-file", "taps.jsonl") == []
    lines = Path("taps.jsonl").read_text().splitlines()
    assert places(list(map(json.loads, lines))) == [f"make.output {n}" for n in (1, 2, 3)]


def test_taps_and_the_page_of_a_run_go_together(tapped: Tapped) -> None:
    shown = tapped(SMALL, "--tap", "make", "--tap-limit", "1", "--html", "page.html")
    assert places(shown) == ["make.output 1"]
    assert "make.output" in Path("page.html").read_text()


def test_taps_show_part_of_a_pipeline(tapped: Tapped) -> None:
    shown = tapped(SMALL, "--to", "make", "--limit", "1", "--tap", "make")
    assert places(shown) == ["make.output 1"]


def test_documents_are_trees_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yaml").write_text(
        "snaps: {make: {snap: JSONGenerator, documents: [{n: 1.50, o: {s: b}}]}}"
    )
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["run", str(tmp_path / "p.yaml"), "--quiet", "--tap", "make"]) == 0
    assert terminal.getvalue() == "make.output #1\n  n: 1.50\n  o:\n    s: b\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tap", "mkae"], "--tap: there is no snap 'mkae'; did you mean 'make'?"),
        (["--tap", "x*"], "--tap: no snap matches 'x*'; the snaps are: make, shape, failed"),
        (["--tap", "make.otput"], "--tap: 'make' has no view 'otput'; did you mean 'output'?"),
        (["--tap", "make.x"], "--tap: 'make' has no view 'x'; its views are: output, error"),
        (["--tap", "make", "--filter", "$n >"], "the filter is not valid: expected an expression"),
        (["--tap", "make", "--filter", "_nope"], "the filter is not valid: the pipeline has no"),
        (["--tap", "make", "--filter", "$n.push(1)"], "the filter '$n.push(1)' changes the doc"),
        (["--filter", "$n > 1"], "--filter is for taps; say what to show with --tap SNAP"),
        (["--tap-file", "x"], "--tap-file is for taps; say what to show with --tap SNAP"),
        (["--tap", "make", "--tap-file", "no/x"], "--tap-file: cannot write 'no/x': No such"),
    ],
)
def test_a_tap_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(SMALL)
    assert main(["run", "p.yaml", *options]) == 2
    out, err = capsys.readouterr()
    assert f"engine: {message}" in err
    assert out == ""
