"""The report counts documents per view and per link, and the numbers add up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.run.report import Report

DIAMOND = """
snaps:
  both: {snap: Copy}
  small: {snap: Filter, filter: $n < 3}
  even: {snap: Filter, filter: $n % 2 == 0}
  join: {snap: Union}
links: [both -> small -> join, both -> even -> join]
"""


def report_of(folder: Path, text: str, inputs: Any = None) -> dict[str, Any]:
    file = folder / "pipeline.yaml"
    file.write_text(text)
    return api.run(file, inputs=inputs).as_dict()


def links_of(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        f"{link['from']} -> {link['to']}": (link["out"], link["in"]) for link in report["links"]
    }


def snaps_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {snap["label"]: snap for snap in report["snaps"]}


def assert_balanced(report: dict[str, Any]) -> None:
    for snap in report["snaps"]:
        came = snap["in"] + snap["made"]
        went = snap["out"] + snap["dropped"] + snap["errors"] + snap["merged"]
        assert came == went, snap


def test_documents_from_a_copy_arrive_at_both_filters_and_their_union(tmp_path: Path) -> None:
    report = report_of(tmp_path, DIAMOND, {"both": [{"n": n} for n in range(10)]})
    assert links_of(report) == {
        "both.output0 -> small.input": (10, 10),
        "small.output -> join.input0": (3, 3),
        "both.output1 -> even.input": (10, 10),
        "even.output -> join.input1": (5, 5),
    }
    assert_balanced(report)


def test_counts_are_kept_for_each_view(tmp_path: Path) -> None:
    snaps = snaps_of(report_of(tmp_path, DIAMOND, {"both": [{"n": n} for n in range(10)]}))
    assert snaps["both"]["views"]["out"] == {"output0": 10, "output1": 10, "error": 0}
    assert snaps["join"]["views"]["in"] == {"input0": 3, "input1": 5}
    assert (snaps["both"]["made"], snaps["small"]["dropped"], snaps["join"]["out"]) == (10, 7, 8)


def test_a_routed_error_is_counted_on_its_link(tmp_path: Path) -> None:
    text = """
    snaps:
      shape: {snap: Mapper, mappings: {$a: $a}}
      dead: {snap: Mapper, mappings: {$why: $reason}}
    links: [shape.error -> dead]
    """
    report = report_of(tmp_path, text, {"shape": [{"a": 1}, {"b": 1}, {"a": 3}]})
    assert links_of(report) == {"shape.error -> dead.input": (1, 1)}
    shape = snaps_of(report)["shape"]
    assert (shape["in"], shape["out"], shape["errors"]) == (3, 2, 1)
    assert shape["views"]["out"] == {"output": 2, "error": 1}
    assert_balanced(report)


@pytest.mark.parametrize("on_error", ["discard", "route"])
def test_snaps_that_answer_one_by_one_make_and_merge_nothing(tmp_path: Path, on_error: str) -> None:
    text = f"""
    snaps:
      keep: {{snap: Filter, filter: $n > 1, on_error: {on_error}}}
      shape: {{snap: Mapper, mappings: {{$m: $m}}, on_error: {on_error}}}
      echo:
        snap: RemotePythonScript
        source: 'def snaplogic_process(row): return row if row["m"] else None'
    links: [keep -> shape -> echo]
    """
    documents = [{"n": n, "m": n % 2} if n % 5 else {"n": n} for n in range(300)] + [{}]
    report = report_of(tmp_path, text, {"keep": documents})
    for snap in report["snaps"]:
        assert (snap["made"], snap["merged"]) == (0, 0)
        assert snap["in"] == snap["out"] + snap["dropped"] + snap["errors"]


def test_added_documents_are_made_and_collected_ones_are_merged(tmp_path: Path) -> None:
    text = """
    snaps:
      make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}, {a: 3}]}
      twice:
        snap: RemotePythonScript
        source: 'def snaplogic_process(row): return [row, row]'
      format: {snap: JSONFormatter}
      parse: {snap: JSONParser}
    links: [make -> twice -> format -> parse]
    """
    report = report_of(tmp_path, text)
    snaps = snaps_of(report)
    assert {label: (snap["made"], snap["merged"]) for label, snap in snaps.items()} == {
        "make": (2, 0),
        "twice": (3, 0),
        "format": (0, 5),
        "parse": (5, 0),
    }
    assert links_of(report)["format.output -> parse.input"] == (1, 1)
    assert_balanced(report)


def test_the_documents_after_one_that_stops_the_pipeline_have_not_come_in(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("snaps: {shape: {snap: Mapper, mappings: {$a: 10 / $n}}}")
    given = [{"n": 1}] * 100 + [{}] + [{"n": 1}] * 100
    report, _ = asyncio.run(api.start(file, inputs={"shape": given}))
    (snap,) = report.as_dict()["snaps"]
    assert (snap["in"], snap["out"], snap["errors"], snap["status"]) == (101, 100, 1, "failed")


def test_a_report_without_links_has_an_empty_list() -> None:
    assert Report("Empty", "ruuid", []).as_dict()["links"] == []
