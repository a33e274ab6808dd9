"""Fused runs whose records hold all fields of a line, so that no skipped text has to be checked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.expressions.records import compiled
from engine.expressions.records.run import Records
from tests.run.both_ways import both_ways, lines_through

SNAPS = {
    "mapper": ["snap: Mapper, mappings: {$x: $n * 2, $y: $o.p, $t: $s + $id}"],
    "filter and mapper": [
        "snap: Filter, filter: $id % 2 == 0",
        "snap: Mapper, mappings: {$x: $n, $y: $o.p + 1, $s: $s}",
    ],
    "elements": ["snap: Mapper, mappings: {$n: $n, $sum: '$l.reduce((t, x) => t + x.q, $id)'}"],
}
UNREAD = {
    "bounds": ["1e99999", "1e-99999", "-1E+10001", "0e99999", "9" * 4301, "1." + "0" * 4400],
    "numbers": ["-0", "-0.0", "1e2", "0.0000001", "9" * 4300, "1e-9999", "01", "1.", "NaN", "-"],
    "strings": ['"\\ud800"', '"\\ud83d\\ude00"', '"\udcff"', '"é"', '"1e99999"', '"\t"', '"'],
    "containers": ["{}", "[]", '{"a":1e99999}', "[1e-99999]", '{"a":1,"a":{"b":[2.50]}}', "[1,]"],
}


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each block, whether its records held all fields."""
    found: list[bool] = []
    process = Records._process

    def noted(self: Records, block: bytes) -> Any:
        found.append(self._compiled.is_closed)
        return process(self, block)

    monkeypatch.setattr(Records, "_process", noted)
    return found


def line(number: int, **changes: str) -> str:
    """A usual line, with other texts for some of its values."""
    fields = {
        "id": str(number),
        "n": "2.50",
        "s": '"x"',
        "z": '"unread"',
        "o": '{"p":3,"u":"unread"}',
        "l": '[{"q":1.5},{"q":2}]',
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in (fields | changes).items()) + "}"


def among_usual(lines: list[str], *, reads_array: bool) -> list[str]:
    usual = {} if reads_array else {"l": "true"}  # an array that is not read would be skipped
    made = [line(number, **usual) for number in range(8)]
    for odd in lines:
        made += [odd, *(line(number, **usual) for number in range(6))]
    return made


def agree(snaps: list[str], lines: list[str], on_error: str = "discard", end: str = "\n") -> None:
    text = ("\n".join(lines) + end).encode("utf-8", "surrogateescape")
    plain, together = both_ways(lines_through(*snaps, on_error=on_error), text)
    assert together == plain


@pytest.mark.parametrize("kind", UNREAD)
@pytest.mark.parametrize("name", SNAPS)
def test_odd_values_of_unread_fields_agree(name: str, kind: str, closed: list[bool]) -> None:
    reads_array = name == "elements"
    usual = {} if reads_array else {"l": "null"}
    odd = [line(90, **usual, z=text) for text in UNREAD[kind]]
    odd += [line(91, **usual, o=f'{{"p":3,"u":{text}}}') for text in UNREAD[kind]]
    agree(SNAPS[name], among_usual(odd, reads_array=reads_array))
    assert True in closed


@pytest.mark.parametrize(
    "change",
    [
        {"new": "1"},
        {"new": "1e99999"},
        {"new": "1e-99999"},
        {"o": '{"p":3,"new":[1e99999]}'},
        {"o": '{"p":3}'},
        {"l": '[{"q":1,"new":1e99999}]'},
        {"l": '[{"q":1,"new":2}]'},
    ],
)
@pytest.mark.parametrize("name", SNAPS)
def test_a_field_that_the_first_lines_lack_agrees(
    name: str, change: dict[str, str], closed: list[bool]
) -> None:
    reads_array = name == "elements"
    usual = {} if reads_array else {"l": "null"}
    odd = [line(90, **(usual | change)), line(91, **usual), line(92, **(usual | change))]
    agree(SNAPS[name], among_usual(odd, reads_array=reads_array))
    assert closed[0]


def test_after_a_field_that_the_first_lines_lack_others_are_skipped(closed: list[bool]) -> None:
    usual = [line(number, l="null") for number in range(30)]
    agree(SNAPS["mapper"], [*usual, line(90, l="null", new="1"), *usual])
    assert closed[0]
    assert not closed[-1]


@pytest.mark.parametrize("last", ["", "\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("on_error", ["stop", "route"])
def test_the_last_line_agrees(last: str, on_error: str, closed: list[bool]) -> None:
    usual = [line(number, l="null") for number in range(9)]
    for odd in (line(90, z="1e99999", l="1"), line(90, new="1e99999"), line(90, z="1", l="2")):
        agree(SNAPS["mapper"], [*usual, odd], on_error, last)
        agree(SNAPS["mapper"], ["\ufeff" + usual[0], *usual, odd + "\r", *usual], on_error, last)
    assert True in closed


def test_a_long_line_agrees(closed: list[bool]) -> None:
    text = '"' + "long " * 50_000 + '"'
    odd = [line(90, z=text, l="1"), line(91, z=text, new="1"), line(92, z=f"[{text},1e99999]")]
    agree(SNAPS["mapper"], among_usual(odd, reads_array=False))
    assert True in closed


def test_skipping_most_of_a_line_costs_less_than_decoding_it(closed: list[bool]) -> None:
    others = {f"d{number}": "2.50" for number in range(20)}
    agree(SNAPS["mapper"], [line(number, l="null", **others) for number in range(40)])
    assert True not in closed


VALUES = [
    "1", "2.50", "-0", "1e5", "1e99999", "1e-99999", "null", "true", '"x"', '"\\u00e9"', "{}",
    '{"p":1}', '{"p":1,"u":1e99999}', '{"p":2.5,"u":2}', "[]", '[{"q":1}]',
    '[{"q":2.5,"r":1e99999}]',
]  # fmt: skip
NAMES = ["id", "n", "s", "z", "o", "l", "new"]
changed = st.builds(
    lambda changes: line(90, **({"l": "null"} | changes)),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=2),
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    st.sampled_from(sorted(SNAPS)),
    st.lists(st.one_of(st.just(line(1, l="null")), changed), max_size=20),
    st.sampled_from(["discard", "stop", "route"]),
    st.booleans(),
)
def test_any_lines_agree(name: str, lines: list[str], on_error: str, splits: bool) -> None:
    first = [line(number, l='[{"q":1}]' if name == "elements" else "null") for number in range(6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "MIN_LINES", 5)
        patch.setattr(
            compiled.Compiled, "_should_split", lambda self: splits and bool(self.filter_reads)
        )
        agree(SNAPS[name], [*first, *lines], on_error)
