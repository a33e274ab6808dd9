"""Fused runs: the same bytes, error documents, counts and order as with `SNAPLINE_PLAIN=1`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.documents import Document
from engine.expressions import regexes
from engine.run import fused
from engine.run.fused import FusedRun
from engine.sdk import Keep, Snap, Step
from engine.sdk.settings import NoSettings
from tests.run.both_ways import both_ways, left_by, lines_through, usual_text
from tests.run.flowing import Collecting, run


class Large(Snap[NoSettings]):
    """Keep the documents whose `a` is over 3."""

    stateful = False
    plain = True

    @classmethod
    def steps(cls, settings: NoSettings) -> tuple[Step, ...]:
        return (Keep("$a > 3"),)

    def process(self, document: Document) -> Document | None:
        return document if document["a"] > 3 else None


@pytest.fixture
def fused_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each fused block had."""
    counts: list[int] = []
    process = FusedRun._fused

    def counted(self: FusedRun, block: bytes) -> Any:
        made = process(self, block)
        if made is not None:
            counts.append(block.count(b"\n"))
        return made

    monkeypatch.setattr(FusedRun, "_fused", counted)
    return counts


@pytest.mark.parametrize(
    "snaps",
    [
        ["snap: Filter, filter: $a > 3"],
        ["snap: Mapper, mappings: {$x: $a, $y.z: $b.c}"],
        ["snap: Mapper, pass_through: true, mappings: {$x: $a * $n}"],
        ["snap: Filter, filter: $a > 3", "snap: Mapper, mappings: {$x: $a}"],
        ["snap: Mapper, mappings: {$x: $a}", "snap: Filter, filter: $x > 3"],
        ["snap: Mapper, mappings: {$x: '$i.map(x => x.p * 2)', $y: '$i[0].m'}"],
    ],
    ids=["filter", "mapper", "pass-through", "filter and mapper", "mapper and filter", "arrays"],
)
def test_usual_lines_are_fused(snaps: list[str], fused_lines: list[int]) -> None:
    plain, together = both_ways(lines_through(*snaps), usual_text(40))
    assert together == plain
    assert sum(fused_lines) >= 30


def test_a_diamond_is_fused(fused_lines: list[int]) -> None:
    pipeline = """
pipeline: Diamond
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  share: {snap: Copy}
  small: {snap: Filter, filter: $a < 5}
  even: {snap: Filter, filter: $a % 2 == 0}
  join: {snap: Union}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links:
  - read -> parse -> share
  - share.output0 -> small -> join
  - share.output1 -> even -> join
  - join -> format -> write
"""
    plain, together = both_ways(pipeline, usual_text(40))
    assert sum(fused_lines) >= 30
    for left in (plain, together):
        left["files"] = {n: sorted(text.split(b"\n")) for n, text in left["files"].items()}
    assert together == plain


def test_documents_for_a_snap_without_steps_are_made_by_a_fused_run(fused_lines: list[int]) -> None:
    pipeline = """
pipeline: Documents
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $a > 3}
  make: {snap: Mapper, mappings: {$x: $a, $b: $b}}
  array: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links:
  - read -> parse -> keep -> make -> array -> write
"""
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain
    assert sum(fused_lines) >= 30


def test_an_odd_line_costs_only_itself(fused_lines: list[int]) -> None:
    text = usual_text(20) + b'{"a":99,"a":100}\n' + usual_text(20)
    plain, together = both_ways(lines_through("snap: Filter, filter: $a > 3"), text)
    assert together == plain
    assert sum(fused_lines) >= 25


def test_a_line_on_which_a_regex_runs_out_of_time_is_tried_once_and_then_left_to_the_snaps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches = []
    too_slow = regexes.Regex._too_slow

    def counted(regex: regexes.Regex) -> Any:
        searches.append(regex.source)
        return too_slow(regex)

    monkeypatch.setattr(regexes, "REGEX_SECONDS", 0.001)
    monkeypatch.setattr(regexes.Regex, "_too_slow", counted)
    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    text = b"".join(
        b'{"s":"%b!"}\n' % (b"a" * (5000 if number == 70 else 2)) for number in range(100)
    )
    left = left_by(
        lines_through("snap: Filter, filter: $s.search(/^(a+)+$/) < 0", on_error="discard"), text
    )
    assert left["counts"]["s0"] == ({"input": 100}, {"output": 99, "error": 0}, 0, 1)
    assert len(searches) == 2


def test_small_inputs_are_not_fused(fused_lines: list[int], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(usual_text(40))
    run(tmp_path, lines_through("snap: Filter, filter: $a > 3"), observer=Collecting())
    assert not fused_lines


def test_a_watched_run_is_plain(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(40))
    run(tmp_path, lines_through("snap: Filter, filter: $a > 3"))
    assert not fused_lines


def test_a_number_beyond_the_bounds_fails_its_line_wherever_it_is() -> None:
    """Also in a field that is never read, and after the first thousand documents."""
    lines = [f'{{"id":{number},"unused":1.5}}' for number in range(3000)]
    lines[2500] = '{"id":2500,"unused":1e99999}'
    lines[2700] = '{"id":2700,"unused":"\udcff"}'
    text = "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n"
    pipeline = lines_through("snap: Mapper, mappings: {$id: $id}")
    plain, together = both_ways(pipeline, text)
    assert together == plain
    assert together["counts"]["parse"][3] == 2


def test_a_third_party_snap_with_steps_is_fused(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(400))
    _, failure, _ = run(tmp_path, lines_through("snap: Large"), Large, observer=Collecting())
    assert failure is None
    assert sum(fused_lines) > 350
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 396


@pytest.mark.parametrize("before", [0, 1, 429, 430, 4299])
def test_a_number_with_too_many_digits_fails_its_line_wherever_it_begins(before: int) -> None:
    """The search for long numbers looks at samples, which must not miss the shortest of them."""
    lines = [f'{{"id":{number},"unused":1.5}}' for number in range(3000)]
    lines[2500] = f'{{"id":2500,"note":"{"n" * before}","unused":{"7" * 4301}}}'
    pipeline = lines_through("snap: Mapper, mappings: {$id: $id}")
    plain, together = both_ways(pipeline, "\n".join(lines).encode() + b"\n")
    assert together == plain
    assert together["counts"]["parse"][3] == 1


def test_a_first_line_that_is_unlike_the_others_is_forgotten(fused_lines: list[int]) -> None:
    text = usual_text(2) + b'{"a":9}\n' * 8 + usual_text(60)
    plain, together = both_ways(lines_through("snap: Mapper, mappings: {$x: $a}"), text)
    assert together == plain
    text = b'{"a":9}\n' * 60 + usual_text(400)
    snaps = "snap: Mapper, null_safe_access: true, pass_through: true, mappings: {$x: $a * 2}"
    plain, together = both_ways(lines_through(snaps), text)
    assert together == plain
    assert sum(fused_lines[-100:]) > 200


def test_the_steps_of_a_base_class_do_not_count_for_a_subclass_that_does_something_else(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Larger(Large):
        """Keep the documents whose `a` is over 5."""

        def process(self, document: Document) -> Document | None:
            return document if document["a"] > 5 else None

    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(400))
    _, failure, _ = run(tmp_path, lines_through("snap: Larger"), Larger, observer=Collecting())
    assert failure is None
    assert not fused_lines
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 394


@pytest.mark.parametrize(
    "snap",
    [
        "snap: Filter, filter: $a < 60 * 60 * 24",
        "snap: Mapper, mappings: {$x: 60 * 60 * 24, $y: 0.1 + 0.2}",
        "snap: Mapper, mappings: {$x: '$l.map(x => x * (60 * 60))'}",
        "snap: Mapper, pass_through: true, mappings: {}",
        "snap: Mapper, mappings: {$x: '$i.reduce((t, x) => t + x.p)'}",
        "snap: Mapper, mappings: {$x: '$i.filter(x => x.p > 1).reduce((t, x) => t + x.p)'}",
        "snap: Mapper, mappings: {$x: NaN, $a: $a}",
        "snap: Filter, filter: '$a < 0 ? $i.k.map(x => x.q).length > 0 : $i.map(x => x.p) != 3'",
    ],
)
def test_unusual_expressions_agree(snap: str) -> None:
    pipeline = lines_through(snap, on_error="discard").replace(
        ", on_error: discard, on_error", ", on_error"
    )
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain


def test_a_function_in_a_document_sees_its_own_record() -> None:
    make = "snap: Mapper, mappings: {$h: 'x => x > $a', $l: $l}"
    rows = "{target: $r, expression: '[1,10,35].filter($h)'}, {expression: $..zz}"
    use = f"snap: Mapper, mappings: [{rows}]"
    pipeline = lines_through(make, use)
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain


def test_a_value_across_two_lines_moves_no_document_to_another_line() -> None:
    lines = [f'{{"a":{number},"b":{{"c":1}}}}' for number in range(100)]
    lines[50:50] = ['{"a":0,"b":', '{"c":1}}']
    lines[60:60] = ['{"a":0,"b":{"c":1}}{"a":0,"b":{"c":1}}']
    text = "\n".join(lines).encode() + b"\n"
    plain, together = both_ways(lines_through("snap: Filter, filter: $a != 55"), text)
    assert together == plain


def test_lines_with_deeply_nested_arrays_agree() -> None:
    text = b'{"a":5,"d":' + b"[" * 60 + b"]" * 60 + b"}\n"
    plain, together = both_ways(
        lines_through("snap: Filter, filter: $a > 3"), text * 5 + usual_text(9)
    )
    assert together == plain


@pytest.mark.parametrize("start", [b"BZh91\n", b"PK\x03\x04\n", b"\n", b"{}\n", b"    \n"])
def test_a_stream_with_an_odd_start_agrees(start: bytes) -> None:
    pipeline = lines_through("snap: Mapper, mappings: {$x: $a}", on_error="discard")
    array = pipeline.replace("JSONFormatter, json_lines: true", "JSONFormatter")
    for each in (pipeline, array):
        plain, together = both_ways(each, start + usual_text(40))
        assert together == plain
