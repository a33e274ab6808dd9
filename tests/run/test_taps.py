"""Taps in snaps that run as one function: only lines that reach a tap go through the snaps."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.plan.plan import Port
from engine.run import fused
from engine.run.fused import FusedRun
from engine.run.taps import Tap, Taps
from tests.run.both_ways import left_by, lines_through, usual_line
from tests.run.flowing import Collecting

FILTERED = """
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true, on_error: discard}
  keep: {snap: Filter, filter: $n % 1000 == 7}
  shape: {snap: Mapper, mappings: {$m: $n}}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> keep -> shape -> format -> write]
"""
LINES = 10_000


@pytest.fixture
def plain_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines went through the snaps, piece by piece."""
    counts: list[int] = []
    plain = FusedRun._plain

    def counted(self: FusedRun, view: str, text: bytes) -> Any:
        counts.append(text.count(b"\n"))
        return plain(self, view, text)

    monkeypatch.setattr(FusedRun, "_plain", counted)
    return counts


def run(folder: Path, *taps: Tap, text: str = FILTERED) -> dict[str, Any]:
    """Run the pipeline; what it leaves: the file and all counts."""
    (folder / "in.jsonl").write_text("".join(f'{{"n":{n},"s":"x"}}\n' for n in range(LINES)))
    (folder / "p.yaml").write_text(text)
    report, failure = asyncio.run(
        api.start(folder / "p.yaml", observer=Collecting(), taps=Taps(taps))
    )
    assert failure is None
    counts = {snap.label: (snap.inputs, snap.outputs, snap.dropped) for snap in report.snaps}
    return {"file": (folder / "out.jsonl").read_bytes(), "counts": counts}


def tap_on(*views: str, **options: Any) -> tuple[Tap, list[bytes]]:
    shown: list[bytes] = []
    ports = [Port(*view.split(".")) for view in views]
    return Tap(ports, shown.append, **options), shown


@pytest.mark.parametrize("view", ["parse.output", "keep.output", "shape.output", "parse.error"])
@pytest.mark.parametrize("limit", [1, 15, None])
def test_outputs_and_counts_are_those_of_a_run_without_taps(
    tmp_path: Path, view: str, limit: int | None
) -> None:
    untapped = run(tmp_path)
    tap, shown = tap_on(view, limit=limit)
    assert run(tmp_path, tap) == untapped
    crossed = {"parse.output": LINES, "parse.error": 0}.get(view, LINES // 1000)
    assert len(shown) == min(crossed, limit or crossed)


def test_the_function_runs_alone_once_a_tap_has_shown_enough(
    tmp_path: Path, plain_lines: list[int]
) -> None:
    run(tmp_path)
    untapped = sum(plain_lines)
    plain_lines.clear()
    tap, _ = tap_on("parse.output", limit=5)
    run(tmp_path, tap)
    assert sum(plain_lines) - untapped < 1000


def test_only_lines_near_those_that_reach_a_tap_go_through_the_snaps(
    tmp_path: Path, plain_lines: list[int]
) -> None:
    tap, shown = tap_on("keep.output")
    run(tmp_path, tap)
    assert [json.loads(line)["document"]["n"] for line in shown] == list(range(7, LINES, 1000))
    assert sum(plain_lines) < LINES / 4


def test_a_tap_on_an_error_view_without_errors_leaves_the_function_alone(
    tmp_path: Path, plain_lines: list[int]
) -> None:
    run(tmp_path)
    untapped = list(plain_lines)
    plain_lines.clear()
    tap, _ = tap_on("parse.error", "keep.error")
    run(tmp_path, tap)
    assert plain_lines == untapped


def test_several_taps_of_one_view_show_what_each_wants(tmp_path: Path) -> None:
    first, few = tap_on("keep.output", limit=2)
    second, chosen = tap_on("keep.output", condition="$n > 8000")
    run(tmp_path, first, second)
    assert [json.loads(line)["number"] for line in few] == [1, 2]
    assert [json.loads(line)["document"]["n"] for line in chosen] == [8007, 9007]


def test_a_document_that_a_filter_cannot_compare_is_not_shown(tmp_path: Path) -> None:
    tap, shown = tap_on("keep.output", condition="$s.missing.trim() == 'x'")
    run(tmp_path, tap)
    assert shown == []


FAILING = """
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true, on_error: discard}
  shape: {snap: Mapper, mappings: {$m: $nope}, on_error: route}
  format: {snap: JSONFormatter, json_lines: true}
  unused: {snap: FileWriter, file: unused.jsonl}
  bad: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> shape -> format -> unused, shape.error -> bad -> write]
"""


def test_lines_that_all_fail_reach_a_tap_on_errors(tmp_path: Path) -> None:
    untapped = run(tmp_path, text=FAILING)
    tap, shown = tap_on("shape.error", limit=500)
    assert run(tmp_path, tap, text=FAILING) == untapped
    assert [json.loads(line)["document"]["original"]["n"] for line in shown] == list(range(500))


ODD_LINES = ["", "{", '{"a": "x"}', '{"a": 1, "n": null, "s": 5, "b": {}, "l": []}', "[1]"]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "snaps",
    [
        ["snap: Filter, filter: $a % 50 < 3", "snap: Mapper, mappings: {$x: $a, $y: $b.c}"],
        [
            "snap: Mapper, pass_through: true, mappings: {$x: $a * $n}",
            "snap: Filter, filter: $x > 9",
        ],
    ],
    ids=["filter and mapper", "mapper and filter"],
)
def test_taps_change_nothing_whatever_the_lines(
    snaps: list[str], seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    odd = (chance.choice(ODD_LINES) if chance.random() < 0.03 else "" for _ in range(300))
    lines = [line or usual_line(number) for number, line in enumerate(odd)]
    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    monkeypatch.setattr(fused, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(fused, "_FIRST_BYTES", 500)
    pipeline = lines_through(*snaps, on_error="route")
    untapped = left_by(pipeline, "\n".join(lines).encode())
    views = "parse.output", "s0.output", "s1.output", "s0.error", "s1.error"
    for view in views:
        tap, shown = tap_on(view, limit=chance.choice([1, 7, None]))
        assert left_by(pipeline, "\n".join(lines).encode(), tap) == untapped
        numbers = [json.loads(line)["number"] for line in shown]
        assert numbers == list(range(1, len(shown) + 1))
