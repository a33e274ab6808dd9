"""The files that `engine graph -o` writes: SVG, HTML, Mermaid and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from engine import api
from engine.diagram.diagram import diagram_of
from engine.diagram.svg import svg
from engine.registry import discover
from tests.cli.graphs import CHAIN, ROUTED

MERMAID = """\
flowchart LR
  s0["<b>orders</b><br/>JSONGenerator"]
  s1["<b>size</b><br/>Router"]
  s2["<b>pack</b><br/>Mapper"]
  s3["<b>failed</b><br/>Mapper"]
  s1 -->|"small: true"| o1_1(["open output"])
  s2 --> o2_0(["open output"])
  s3 --> o3_0(["open output"])
  s0 --> s1
  s1 -->|"large: $n #gt;= 10"| s2
  s1 -.->|"error"| s3
"""
NAMESPACE = "{http://www.w3.org/2000/svg}"


def svg_of(pipeline: str, tmp_path: Path) -> ElementTree.Element:
    file = tmp_path / "p.yaml"
    file.write_text(pipeline)
    return ElementTree.fromstring(svg(diagram_of(api.load(file), discover())))


def texts(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{NAMESPACE}text")]


def titles(root: ElementTree.Element) -> list[str]:
    return [str(each.text) for each in root.iter(f"{NAMESPACE}title")]


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


def test_characters_that_xml_cannot_hold_are_escapes(tmp_path: Path) -> None:
    text = 'pipeline: "a\\u0001<b>"\nsnaps: {"x&\\"y": {snap: Copy}}'
    root = svg_of(text, tmp_path)
    assert texts(root)[:1] == [r"a\x01<b>"]


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


def test_mermaid_marks_open_inputs_and_keeps_texts_apart(draw: Callable[..., str]) -> None:
    draw('snaps: {"a \\"b\\" <c>|": {snap: Copy}}', "-o", "p.mmd")
    lines = Path("p.mmd").read_text(encoding="utf-8").splitlines()
    assert '  s0["<b>a #quot;b#quot; #lt;c#gt;#124;</b><br/>Copy"]' in lines
    assert '  i0_0(["open input"]) --> s0' in lines


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
