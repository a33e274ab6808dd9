"""Shortcuts of fused runs, each with the lines that it must not be taken for."""

from __future__ import annotations

from typing import Any

import pytest

from engine.expressions.records import compiled, known_decimals
from engine.expressions.records.compiled import Compiled
from engine.run import fused
from engine.run.fused import FusedRun
from tests.run.both_ways import both_ways, left_by, lines_through


def agree(*snaps: str, lines: list[str]) -> dict[str, Any]:
    """What the snaps leave of the lines, which is the same both ways."""
    text = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    plain, together = both_ways(lines_through(*snaps, on_error="discard"), text)
    assert together == plain
    return together


def lines_of(field: str, values: list[str]) -> list[str]:
    """Usual lines, with the values in one field of some of them."""
    return [
        f'{{"id":{number},"n":2.50,"k":3,"s":"x","{field}":{value}}}'
        for number, value in enumerate(usual_among(values))
    ]


def usual_among(values: list[str]) -> list[str]:
    usual = ["1.5", "2.25", "7.0"] * 4
    return [each for value in values for each in (*usual, value)]


ODD_VALUES = [
    "-1.5", "-0", "-0.0", "0.000000", "0.0000001", "0.00000001", "123456789.5", "1e2", "1E-7",
    "1e99999", "9" * 5000, "1." + "0" * 4400, "null", "true", '"text"', '"[{\\"n\\":1e99999}]"',
    '"\\u00e9"', '"é"', '"\udcff"', "{}", '{"a":1,"a":2}', "[1, 2]", "[NaN]", "NaN", "01", "1.",
    '"2.5"',
]  # fmt: skip


@pytest.mark.parametrize("field", ["v", "n", "k"], ids=["unread", "decimal", "integer"])
@pytest.mark.parametrize(
    "snap",
    [
        "snap: Filter, filter: $id % 2 == 0",
        "snap: Mapper, pass_through: true, mappings: {$x: $n * $k}",
        "snap: Mapper, mappings: {$x: $n * $k * (1 - $n), $t: \"$s + ' ' + $n + '/' + $k\"}",
        "snap: Mapper, mappings: {$x: '$k * 2 - $k', $n: $n, $k: $k}",
    ],
    ids=["filter", "pass-through", "formula", "integers"],
)
def test_odd_values_agree(snap: str, field: str) -> None:
    agree(snap, lines=lines_of(field, ODD_VALUES))


@pytest.mark.parametrize(
    "line",
    [
        '{"id":1} {"id":2}',
        '{"id":1}{"id":2}',
        '{"id":1},',
        '{"id":',
        "1}",
        "[]",
        '"{}"',
        "",
        "   ",
        '{"id":1}\r',
        '  {"id":1}  ',
        '\ufeff{"id":1}',
    ],
)
def test_a_line_that_holds_anything_but_one_object_agrees(line: str) -> None:
    usual = [f'{{"id":{number}}}' for number in range(60)]
    usual[30:30] = [line]
    agree("snap: Filter, filter: $id >= 0", lines=usual)
    agree("snap: Mapper, mappings: {$x: $id + 1}", lines=usual)


@pytest.mark.parametrize("most", [10, 10_000], ids=["many", "few"])
def test_decimals_stay_as_they_came_however_many_there_are(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_decimals, "_MAX", most)
    lines = [f'{{"a":{number}.50,"b":1.5,"c":1.50}}' for number in range(200)]
    left = agree("snap: Mapper, mappings: {$a: $a, $b: $b, $c: $c, $sum: $a + $b}", lines=lines)
    last = b'{"a":199.50,"b":1.5,"c":1.50,"sum":201.00}\n'
    assert left["files"]["out.jsonl"].endswith(last)


def test_a_loop_has_the_variables_of_its_own_document() -> None:
    lines = [
        f'{{"id":{number},"k":2,"l":[{{"p":1.5,"q":{number}}},{{"p":2,"q":0.5}}]}}'
        for number in range(40)
    ]
    lines[20] = '{"id":20,"k":2,"l":[]}'
    rows = (
        "{$sum: '$l.reduce((t, x) => t + x.p * x.q * $k, $k)',"
        " $most: '$l.filter(x => x.q > $k).map(x => x.p * $k)',"
        " $none: '$l.filter(x => x.q > 99).reduce((t, x) => t + x.p, 0)',"
        " $both: '$l.map(x => x.p).length + $l.reduce((t, x) => t + x.q, 0)'}"
    )
    agree(f"snap: Mapper, mappings: {rows}", lines=lines)


def test_a_long_list_is_not_made_for_a_whole_block_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    process = FusedRun._fused

    def noted(self: FusedRun, block: bytes) -> Any:
        made = process(self, block)
        if made is not None:
            sizes.append(sum(map(len, made[0][1].items)))
        return made

    monkeypatch.setattr(FusedRun, "_fused", noted)
    monkeypatch.setattr(fused, "MIN_BYTES", 0)
    text = "".join(f'{{"id":{number},"n":5000}}\n' for number in range(400)).encode()
    pipeline = lines_through("snap: Mapper, mappings: {$l: 'sl.range(0, $n)'}")
    together = left_by(pipeline, text)
    assert together["files"]["out.jsonl"].count(b"\n") == 400
    assert sizes
    assert max(sizes) < 6_000_000


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[Compiled]:
    """The runs that decode most fields after their filter, as each does here if it can."""
    found: list[Compiled] = []

    def noted(self: Compiled) -> bool:
        if self.filter_reads:
            found.append(self)
        return bool(self.filter_reads)

    monkeypatch.setattr(compiled, "MIN_LINES", 1)
    monkeypatch.setattr(Compiled, "_should_split", noted)
    return found


@pytest.mark.parametrize(
    "condition",
    [
        "$id % 2 == 0",
        "$o.p > 1",
        "$l.filter(x => x.q > 1).length > 1",
        "$l.map(x => x.q)[0] > 0",
        "$o",
        "$d > 1.5 && $s == 'x'",
    ],
)
@pytest.mark.parametrize("null_safe", ["false", "true"])
def test_a_filter_with_a_record_of_its_own_agrees(
    condition: str, null_safe: str, splits: list[Compiled]
) -> None:
    lines = [
        f'{{"id":{number},"d":{number % 3}.50,"s":"x","o":{{"p":{number % 4},"r":"y"}},'
        f'"l":[{{"q":{number},"t":1.5}},{{"q":2.0,"t":2}}]}}'
        for number in range(40)
    ]
    lines[10] = '{"id":10,"d":1.5,"s":"x","o":{"p":3},"l":[]}'
    lines[15] = '{"id":15,"d":null,"o":{"p":3,"r":"y"},"l":[{"q":2}]}'
    lines[20] = '{"id":20,"s":"x","o":null,"l":{"q":2}}'
    lines[25] = '{"id":26}'
    lines[30] = '{"id":30,"d":1e99999,"s":"x","o":{"p":3,"r":"y"},"l":[]}'
    keep = f'snap: Filter, null_safe_access: {null_safe}, filter: "{condition}"'
    rows = "{$id: $id, $d: $d * 2, $r: $o.r, $o: $o, $t: '$l.map(x => x.t)', $all: $l}"
    agree(keep, f"snap: Mapper, mappings: {rows}", lines=lines)
    some = "{$p: $o.p + $d, $q: '$l.reduce((t, x) => t + x.q, 0)', $s: $s + $id}"
    agree(keep, f"snap: Mapper, mappings: {some}", lines=lines)
    agree(keep, "snap: Mapper, pass_through: true, mappings: {$x: $d * $id}", lines=lines)
    agree(keep, "snap: Mapper, null_safe_access: true, mappings: {$r: $o.r, $d: $d}", lines=lines)
    if condition != "$o":
        assert splits
