"""Lines that all lack a field: the same error documents and counts as with `SNAPLINE_PLAIN=1`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.run.failing_lines import FailingLines
from tests.run.both_ways import both_ways

ROUTED = """
pipeline: Errors
snaps:
  read: {{snap: FileReader, file: in.jsonl}}
  parse: {{snap: JSONParser, json_lines: true}}
  shape: {{{snap}, on_error: {on_error}}}
  format: {{snap: JSONFormatter, json_lines: true}}
  write: {{snap: FileWriter, file: out.jsonl}}
  format_bad: {{snap: JSONFormatter, json_lines: true}}
  write_bad: {{snap: FileWriter, file: out-bad.jsonl}}
links:
  - read -> parse -> shape -> format -> write
  - shape.error -> {through}format_bad -> write_bad
"""


def pipeline(snap: str, *, on_error: str = "route", bad: str = "") -> str:
    """With the error view linked to a formatter, through a snap `bad`, if there is one."""
    through = f"{bad.lower()} -> " if bad else ""
    text = ROUTED.format(snap=snap, on_error=on_error, through=through)
    if on_error != "route":
        return "".join(line for line in text.splitlines(keepends=True) if "_bad" not in line)
    return text.replace("snaps:\n", f"snaps:\n  {bad.lower()}: {{snap: {bad}}}\n") if bad else text


def lines(*documents: Any) -> bytes:
    return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in documents)


@pytest.fixture
def failed_alike(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines were recognised at a time."""
    counts: list[int] = []
    outputs = FailingLines.outputs

    def counted(failing: FailingLines, block: bytes) -> Any:
        found = outputs(failing, block)
        if found is not None:
            counts.append(found[0])
        return found

    monkeypatch.setattr(FailingLines, "outputs", counted)
    return counts


ORDERS = [{"id": n, "customer": {"name": "A", "city": None}, "price": 1.5} for n in range(90)]


@pytest.mark.parametrize(
    "snap",
    [
        "snap: Mapper, mappings: {$a: $id, $b: $customer.nmae}",
        "snap: Mapper, mappings: {$a: \"'x'\", $b: $customer.street.number + $id}",
        "snap: Filter, filter: $quantity > 5",
        "snap: Filter, filter: $id > $quantity",
        "snap: Mapper, pass_through: true, mappings: {$customer.x: $missing.toUpperCase()}",
    ],
)
@pytest.mark.parametrize("on_error", ["route", "discard"])
def test_lines_that_lack_a_field_are_recognised(
    snap: str, on_error: str, failed_alike: list[int]
) -> None:
    plain, together = both_ways(pipeline(snap, on_error=on_error), lines(*ORDERS))
    assert together == plain
    fuses = "Mapper" in snap and "pass_through" not in snap
    assert sum(failed_alike) >= 60 or not fuses


def test_errors_may_go_through_a_union(failed_alike: list[int]) -> None:
    snap = "snap: Mapper, mappings: {$a: $missing}"
    plain, together = both_ways(pipeline(snap, bad="Union"), lines(*ORDERS))
    assert together == plain
    assert sum(failed_alike) >= 60


@pytest.mark.parametrize(
    ("snap", "bad"),
    [
        ("snap: Mapper, mappings: {$a: $missing}", "Copy"),
        ("snap: Mapper, mappings: {$a: $id / 0 + $missing}", ""),
        ("snap: Mapper, mappings: {$a: $customer.city.street}", ""),
        ("snap: Mapper, mappings: {$a: $customer}", ""),
        ("snap: Mapper, null_safe_access: true, mappings: {$a: $missing.trim()}", ""),
    ],
)
def test_lines_that_may_fail_otherwise_are_left_to_the_snaps(
    snap: str, bad: str, failed_alike: list[int]
) -> None:
    plain, together = both_ways(pipeline(snap, bad=bad), lines(*ORDERS))
    assert together == plain
    assert not failed_alike


RUNS = [
    b'{"a":1,"o":{"x":1}}\n',
    b'{"a":2,"o":{"x":"null"}}\n',
    b'{"a":1,"o":{"x":1},"b":2}\n',
    b'{"a": 1,"o":{"x":1}}\n',
    b'{"a":1e2,"o":{"x":1.50}}\n',
    b'{"a":1,"o":null}\n',
    b'{"o":{"x":1},"a":1}\n',
    b'{"a":1,"o":{"x":1},"a":3}\n',
    b'{"a":1,"o":{"x":tru}}\n',
    b'{"a":1,"o":{"x":"\xff"}}\n',
    b"\n",
    b"5\n",
]
CONDITIONS = ["$a > $b", "$b.c == 1", "$o.x + $o.y > 2", "$o.x.y", "$a && $c"]


@given(
    runs=st.lists(st.tuples(st.sampled_from(RUNS), st.integers(1, 40)), min_size=1, max_size=6),
    text=st.sampled_from(CONDITIONS),
    on_error=st.sampled_from(["route", "discard"]),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_any_mixture_of_lines(runs: list[tuple[bytes, int]], text: str, on_error: str) -> None:
    snap = f"snap: Mapper, mappings: {{$x: $a, $y: '{text}'}}"
    given_lines = RUNS[0] + b"".join(line * count for line, count in runs)
    plain, together = both_ways(pipeline(snap, on_error=on_error), given_lines)
    assert together == plain
