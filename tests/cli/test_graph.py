"""`engine graph` draws pipelines: on the terminal, and as SVG, HTML, Mermaid and JSON."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from engine import api
from engine.cli import main
from engine.diagram.diagram import diagram_of
from engine.diagram.svg import svg
from engine.registry import discover

ROUTED = """
pipeline: Orders & more
description: Sorts orders by size.
snaps:
  orders: {snap: JSONGenerator, documents: [{n: 3}, {n: 30}, {m: 1}]}
  size: {snap: Router, routes: {large: $n >= 10, small: 'true'}, first_match: true}
  pack: {snap: Mapper, mappings: {$n: $n}}
  failed: {snap: Mapper, mappings: {$reason: $reason}}
links:
  - orders -> size
  - size.large -> pack
  - size.error -> failed
"""
CHAIN = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  keep: {snap: Filter, filter: $a > 1}
links: [read -> parse -> keep]
"""
BOXES = """\
  ╭────────────╮     ╭────────────╮     ╭────────╮
  │ read       │────▶│ parse      │────▶│ keep   │─○
  │ FileReader │     │ JSONParser │     │ Filter │
  ╰────────────╯     ╰────────────╯     ╰────────╯
"""
RAILS = """\
●   orders  JSONGenerator
●   size  Router  (open: small)
│   large  $n >= 10  → pack
├─╮ error  → failed
● ╎ pack  Mapper  (open: output)
  ● failed  Mapper  (open: output)
"""
MERMAID = """\
flowchart LR
  s0["<b>orders</b><br/>JSONGenerator"]
  s1["<b>size</b><br/>Router"]
  s2["<b>pack</b><br/>Mapper"]
  s3["<b>failed</b><br/>Mapper"]
  s1 --> s1_small(["open output"])
  s2 --> s2_output(["open output"])
  s3 --> s3_output(["open output"])
  s0 --> s1
  s1 -->|"large: $n #gt;= 10"| s2
  s1 -.->|"error"| s3
"""
NAMESPACE = "{http://www.w3.org/2000/svg}"


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Draws a pipeline; what is printed."""
    monkeypatch.chdir(tmp_path)

    def run(pipeline: str, *options: str) -> str:
        Path("p.yaml").write_text(pipeline)
        assert main(["graph", "p.yaml", *options]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def on_terminal(draw: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Draws a pipeline on a terminal of some width, without colours."""

    def run(pipeline: str, width: int, encoding: str = "utf-8") -> str:
        screen = Terminal(encoding)
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("NO_COLOR", "1")
        draw(pipeline)
        return screen.shown()

    return run


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["graph", *arguments]) == 2
    return capsys.readouterr().err


def svg_of(pipeline: str, tmp_path: Path) -> ElementTree.Element:
    file = tmp_path / "p.yaml"
    file.write_text(pipeline)
    return ElementTree.fromstring(svg(diagram_of(api.load(file), discover())))


def texts(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{NAMESPACE}text")]


def titles(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{NAMESPACE}title")]


def test_a_pipe_gets_boxes(draw: Callable[..., str]) -> None:
    assert draw(CHAIN) == BOXES


def test_a_terminal_gets_boxes_if_they_fit(on_terminal: Callable[..., str]) -> None:
    assert on_terminal(CHAIN, 60) == BOXES


def test_an_encoding_without_lines_gets_ascii(on_terminal: Callable[..., str]) -> None:
    drawn = on_terminal(CHAIN, 60, "latin-1")
    assert drawn.isascii()
    assert "| read       |---->| parse      |---->| keep   |-o\n" in drawn


def test_a_narrow_terminal_gets_a_list_with_rails(on_terminal: Callable[..., str]) -> None:
    assert on_terminal(ROUTED, 45) == RAILS


def test_a_list_is_cut_at_the_width_of_the_terminal(on_terminal: Callable[..., str]) -> None:
    assert max(map(len, on_terminal(ROUTED, 20).splitlines())) <= 20
    assert "●   size  Router  (…\n" in on_terminal(ROUTED, 20)


def test_rails_that_meet_come_together(on_terminal: Callable[..., str]) -> None:
    make = "{snap: JSONGenerator, documents: []}"
    text = f"""
snaps: {{a: {make}, b: {make}, c: {make}, all: {{snap: Union}}}}
links: [a -> all, b -> all, c -> all]
"""
    assert on_terminal(text, 30).splitlines() == [
        "●     a  JSONGenerator",
        "│",
        "│ ●   b  JSONGenerator",
        "│ │",
        "│ │ ● c  JSONGenerator",
        "├─┴─╯",
        "●     all  Union  (open: outp…",
    ]


def test_rails_are_drawn_with_ascii_where_there_is_nothing_else(
    on_terminal: Callable[..., str],
) -> None:
    drawn = on_terminal(ROUTED, 45, "latin-1")
    assert drawn.isascii()
    assert "+-+ error  -> failed\n" in drawn


def test_boxes_show_routes_and_errors(draw: Callable[..., str]) -> None:
    lines = draw(ROUTED).splitlines()
    assert any("large │─ $n >= 10 ─" in line for line in lines)
    assert any("error │╌╌" in line for line in lines)
    assert any("small │─○" in line for line in lines)


def test_colours_are_for_terminals(
    draw: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    screen = Terminal("utf-8")
    monkeypatch.setattr(sys, "stdout", screen)
    draw(ROUTED)
    shown = screen.shown()
    assert "\x1b[1msize\x1b[0m" in shown
    assert re.search("\x1b\\[31m╌", shown)
    assert all(line.count("\x1b[0m") or "\x1b" not in line for line in shown.splitlines())


def test_wide_characters_keep_the_borders_aligned(draw: Callable[..., str]) -> None:
    lines = draw("snaps: {日本語: {snap: Copy}}").splitlines()
    assert lines[1] == "○▶│ 日本語 │"
    assert lines[0] == "  ╭────────╮"


def test_an_svg_has_all_labels_kinds_views_and_conditions(tmp_path: Path) -> None:
    found = texts(svg_of(ROUTED, tmp_path))
    assert {"Orders & more", "orders", "JSONGenerator", "size", "Router"} <= {*found}
    assert {"large", "small", "error", "$n >= 10"} <= {*found}


def test_error_links_are_dashed_and_binary_ones_marked(tmp_path: Path) -> None:
    root = svg_of(ROUTED, tmp_path)
    [style] = [str(each.text) for each in root.iter(f"{NAMESPACE}style")]
    assert re.search(r"\.error\.wire {[^}]*stroke-dasharray", style)
    kinds = [each.get("class") for each in root.iter(f"{NAMESPACE}path")]
    assert kinds.count("wire error") == 1
    chain = svg_of(CHAIN, tmp_path).iter(f"{NAMESPACE}path")
    assert [each.get("class") for each in chain].count("wire binary") == 1


def test_open_outputs_are_marked(tmp_path: Path) -> None:
    assert titles(svg_of(ROUTED, tmp_path)).count("open output of the pipeline") == 3


def test_an_svg_says_what_it_shows(tmp_path: Path) -> None:
    root = svg_of(ROUTED, tmp_path)
    assert titles(root)[0] == "Orders & more"
    [description] = root.iter(f"{NAMESPACE}desc")
    assert description.text == "Sorts orders by size. 4 snaps, 3 links."
    assert "size.large → pack.input, if $n >= 10" in titles(root)
    assert "size, Router" in [each.get("aria-label") for each in root.iter(f"{NAMESPACE}g")]


def test_an_svg_needs_nothing_from_elsewhere_and_suits_dark_screens(tmp_path: Path) -> None:
    text = ElementTree.tostring(svg_of(ROUTED, tmp_path), encoding="unicode")
    assert re.findall(r"(?:href|src|url\(|@import)", text) == []
    assert "prefers-color-scheme: dark" in text


def test_texts_stay_inside_their_boxes(tmp_path: Path) -> None:
    label = "a_label_that_is_far_too_long_to_be_shown_in_a_box_of_a_reasonable_size"
    root = svg_of(f"snaps: {{{label}: {{snap: Copy}}}}", tmp_path)
    [box] = [each for each in root.iter(f"{NAMESPACE}rect") if each.get("class") == "box"]
    assert int(str(box.get("width"))) < 260
    [shown] = [each for each in texts(root) if each.startswith("a_label")]
    assert shown.endswith("…")
    assert f"{label}, Copy" in titles(root)


def test_characters_that_xml_cannot_hold_are_left_out(tmp_path: Path) -> None:
    text = 'pipeline: "a\\u0001<b>"\nsnaps: {"x&\\"y": {snap: Copy}}'
    root = svg_of(text, tmp_path)
    assert texts(root)[:1] == ["a <b>"]


def test_a_page_has_the_graph_and_tables(draw: Callable[..., str]) -> None:
    assert draw(ROUTED, "-o", "p.html") == "p.yaml -> p.html\n"
    page = Path("p.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<h1>Orders &amp; more</h1>" in page
    assert page.count("<svg ") == 1
    assert "<td>size.large</td><td>pack.input</td><td>documents</td><td>$n &gt;= 10</td>" in page
    assert re.findall(r"(?:href|src)=|<script", page) == []


def test_every_element_of_a_page_is_closed(draw: Callable[..., str]) -> None:
    draw(ROUTED, "-o", "p.html")
    still_open: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in ("meta",):
                still_open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert still_open.pop() == tag

    Reader().feed(Path("p.html").read_text(encoding="utf-8"))
    assert still_open == []


def test_scrolling_parts_of_a_page_can_be_reached_with_keys(draw: Callable[..., str]) -> None:
    draw(ROUTED, "-o", "p.html")
    page = Path("p.html").read_text(encoding="utf-8")
    labels = re.findall(r'tabindex="0" role="region" aria-label="(\w+)"', page)
    assert labels == ["Graph", "Snaps", "Links"]


def test_mermaid_has_the_same_links(draw: Callable[..., str]) -> None:
    draw(ROUTED, "-o", "p.mmd")
    assert Path("p.mmd").read_text(encoding="utf-8") == MERMAID


def test_json_has_the_coordinates(draw: Callable[..., str]) -> None:
    draw(ROUTED, "-o", "p.json")
    found = json.loads(Path("p.json").read_text(encoding="utf-8"))
    assert [snap["label"] for snap in found["snaps"]] == ["orders", "size", "pack", "failed"]
    orders, size = found["snaps"][:2]
    [link] = [link for link in found["links"] if link["from"] == "orders.output"]
    assert link["points"][0] == [
        orders["x"] + orders["width"],
        orders["y"] + orders["outputs"][0]["y"],
    ]
    assert link["points"][-1] == [size["x"], size["y"] + size["inputs"][0]["y"]]
    assert [port["open"] for port in size["outputs"]] == [False, True, False]


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The report of a run of the routed pipeline."""
    (tmp_path / "run.yaml").write_text(ROUTED)
    file = tmp_path / "report.json"
    main(["run", str(tmp_path / "run.yaml"), "--quiet", "--report", str(file)])
    capsys.readouterr()
    return file


def test_the_counts_of_a_run_are_at_its_links(report: Path, draw: Callable[..., str]) -> None:
    drawn = draw(ROUTED, "--report", str(report))
    assert "─ $n >= 10 · 1 ─" in drawn
    assert re.search(r"orders +│─ 3 ─", drawn)
    assert re.search(r"\d s · 1 error ", drawn)


def test_the_counts_of_a_run_are_in_the_page(report: Path, draw: Callable[..., str]) -> None:
    draw(ROUTED, "--report", str(report), "-o", "p.html")
    page = Path("p.html").read_text(encoding="utf-8")
    [row] = [row for row in page.splitlines() if row.startswith("<tr><td>size.error<")]
    assert row.endswith('<td>error documents</td><td></td><td class="number">1</td></tr>')


def test_a_snap_that_failed_is_marked(report: Path, draw: Callable[..., str]) -> None:
    counts = json.loads(report.read_text())
    counts["snaps"][2]["status"] = "failed"
    report.write_text(json.dumps(counts))
    draw(ROUTED, "--report", str(report), "-o", "p.svg")
    root = ElementTree.fromstring(Path("p.svg").read_text(encoding="utf-8"))
    failed = [each.get("aria-label") for each in root.iter() if each.get("class") == "snap failed"]
    assert len(failed) == 1
    assert str(failed[0]).startswith("pack, Mapper, ")


def test_a_snap_that_is_new_since_the_run_says_so(report: Path, draw: Callable[..., str]) -> None:
    changed = ROUTED.replace("links:\n", "  added: {snap: Copy}\nlinks:\n")
    drawn = draw(changed + "  - size.small -> added\n", "--report", str(report))
    assert "not in the run" in drawn


def test_a_report_of_another_pipeline_is_refused(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(CHAIN)
    message = refusal(capsys, str(file), "--report", str(report))
    assert "the report is not of this pipeline: it has none of its snaps" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is not the report of a run: Object missing required field `snaps`"),
        ("x", "is not the report of a run: JSON is malformed"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_is_not_a_report_is_refused(
    content: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(CHAIN)
    if content is not None:
        (tmp_path / "r.json").write_text(content)
    arguments = (str(tmp_path / "p.yaml"), "--report", str(tmp_path / "r.json"))
    assert message in refusal(capsys, *arguments)


BROKEN = """
pipeline: Broken
snaps:
  read: {snap: FileReder, file: x}
  parse: {snap: JSONParser}
  keep: {snap: Filter, filter: "$a >"}
  off: {snap: Mapper, mappings: {$a: $a}, mode: disabled}
  after: {snap: Copy}
links:
  - read -> parse -> keep -> keep2
  - keep.nosuch -> off -> after
"""


def test_a_broken_pipeline_is_drawn_as_far_as_it_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(BROKEN)
    assert main(["graph", str(file)]) == 0
    captured = capsys.readouterr()
    for text in ("FileReder (unknown)", "no such snap", "nosuch", "Mapper (disabled)"):
        assert text in captured.out
    assert "Copy (disabled)" in captured.out
    assert re.search(r"has \d errors; it is drawn as far as it can be read", captured.err)


def test_a_cycle_is_drawn(draw: Callable[..., str]) -> None:
    copy = "{snap: Copy}"
    drawn = draw(f"snaps: {{a: {copy}, b: {copy}}}\nlinks: [a -> b, b -> a]")
    assert drawn.count("▶") >= 2


def test_a_pipeline_without_snaps_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text("")
    assert "the file contains no pipeline" in refusal(capsys, str(tmp_path / "p.yaml"))


def test_a_task_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.yaml").write_text("type: triggered\npipeline: p.yaml\n")
    message = refusal(capsys, str(tmp_path / "t.yaml"))
    assert "is a task file; draw the pipeline that it names" in message


def test_an_unknown_format_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal(capsys, "nosuch.yaml", "-o", "p.png")
    assert message == (
        "engine: a graph cannot be written as 'p.png'; its name must end in .svg, .html, .mmd or "
        ".json\n"
    )


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(CHAIN)
    target = str(tmp_path / "nosuch" / "p.svg")
    message = refusal(capsys, str(tmp_path / "p.yaml"), "-o", target)
    assert message == f"engine: cannot write '{target}': No such file or directory\n"


PIPELINES = sorted((Path(__file__).parents[2] / "pipelines").glob("*.yaml"))


@pytest.mark.parametrize("file", PIPELINES, ids=[file.stem for file in PIPELINES])
def test_the_pipelines_of_the_repository_are_drawn(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(file)]) == 0
    drawn = capsys.readouterr().out
    assert [label for label in api.load(file).snaps if label not in drawn] == []
