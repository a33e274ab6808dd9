"""Strings are sequences of UTF-16 units: halves of a pair join wherever strings are joined."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationError, ExpressionError
from engine.expressions import evaluate
from engine.expressions.functions import FAMILIES, Declaration

UNITS = st.sampled_from([0x61, 0x62, 0x20, 0xE9, 0xFFFF, 0xD83D, 0xDE00, 0xD801, 0xDC00])
TEXTS = st.lists(UNITS, max_size=6)
PLACES = st.integers(-8, 8)
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def text_of(units: list[int]) -> str:
    raw = b"".join(unit.to_bytes(2, "little") for unit in units)
    return raw.decode("utf-16-le", "surrogatepass")


def units_of(text: str) -> list[int]:
    raw = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_in([key, item])
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


@given(TEXTS, TEXTS)
def test_joined_strings_are_the_string_of_all_their_units(a: list[int], b: list[int]) -> None:
    document = {"a": text_of(a), "b": text_of(b)}
    for sum_ in ("$a + $b", "$a.concat($b)", "[$a, $b].join('')", "'%s%s'.sprintf($a, $b)"):
        assert evaluate(sum_, document) == text_of(a + b)
    assert evaluate("'' + $a + '' + $b + ''", document) == text_of(a + b)
    assert evaluate("($a + 'x' + $b).replace('x', '')", document) == text_of(a + b)
    assert evaluate("($a + 'x' + $b).replace(/x/, '')", document) == text_of(a + b)


@given(TEXTS, PLACES, PLACES)
def test_positions_count_units(units: list[int], start: int, end: int) -> None:
    document = {"t": text_of(units), "i": start, "j": end}
    assert evaluate("$t.length", document) == len(units)
    assert evaluate("jsonPath($, '$t.length()')", document) == len(units)
    assert units_of(evaluate("$t.slice($i, $j)", document)) == units[start:end]
    assert evaluate("$t.split('').map(c => c.charCodeAt(0))", document) == units
    assert evaluate("$t.split('').join('')", document) == document["t"]
    first, last = sorted(max(0, min(place, len(units))) for place in (start, end))
    assert units_of(evaluate("$t.substring($i, $j)", document)) == units[first:last]


@given(TEXTS, TEXTS)
def test_a_string_is_found_where_its_units_are(units: list[int], wanted: list[int]) -> None:
    document = {"t": text_of(units), "w": text_of(wanted)}
    size = len(wanted)
    places = [at for at in range(len(units) - size + 1) if units[at : at + size] == wanted]
    assert evaluate("$t.indexOf($w)", document) == (places[0] if places else -1)
    assert evaluate("$t.lastIndexOf($w)", document) == (places[-1] if places else -1)
    assert evaluate("$t.contains($w)", document) == bool(places)
    assert evaluate("$t.startsWith($w)", document) == (0 in places)
    assert evaluate("$t.endsWith($w)", document) == (len(units) - size in places)


@given(TEXTS, TEXTS)
def test_the_order_of_strings_is_that_of_their_units(a: list[int], b: list[int]) -> None:
    document = {"a": text_of(a), "b": text_of(b)}
    assert evaluate("$a < $b", document) == (a < b)
    assert evaluate("$a >= $b", document) == (a >= b)
    assert list(map(units_of, evaluate("[$a, $b].sort()", document))) == sorted([a, b])


def declared() -> Iterator[Any]:
    for family in FAMILIES:
        for name, one in family.functions.items():
            prefix = f"{family.namespace}." if family.namespace else ""
            if one.fewest and name != "gethostbyname":
                yield pytest.param(f"{prefix}{name}", one, id=f"{family.title}.{name}")
        if str in family.receivers or list in family.receivers:
            receiver = "$t" if str in family.receivers else "[$t, $u, [$t, [$u]]]"
            for name, one in family.methods.items():
                yield pytest.param(f"{receiver}.{name}", one, id=f"{family.title} {name}()")


ARGUMENTS = [
    "$t",
    "$u",
    "1",
    "''",
    "x => $u",
    "/x/",
    "[$t, $u]",
    "{a: $t, b: $u}",
    "55357",
    "56832",
]


@pytest.mark.parametrize(("call", "declaration"), list(declared()))
def test_no_function_returns_two_halves_side_by_side(call: str, declaration: Declaration) -> None:
    """Finds a function that forgets to join its result, whatever the arguments."""
    most = 2 if declaration.most is None else min(declaration.most, 2)
    for count in range(declaration.fewest, most + 1):
        for arguments in itertools.product(ARGUMENTS, repeat=count):
            for t, u in (("\ud83d", "\ude00"), ("\ud83dx\ude00", "\ude00\ud83d")):
                try:
                    value = evaluate(f"{call}({', '.join(arguments)})", {"t": t, "u": u})
                except ExpressionError:
                    continue
                assert not any(map(PAIR.search, texts_in(value))), arguments


WAYS_OUT = [
    "Base64.encode($t)",
    "encodeURIComponent($t)",
    "encodeURI($t)",
    "Digest.md5($t)",
    "Digest.sha256($t)",
    "GZip.compress($t)",
    "iconv.encode($t, 'UTF-8')",
    "iconv.encode($t, 'UTF-16')",
    "iconv.encode($t, 'ISO-8859-1')",
]


@pytest.mark.parametrize("way_out", WAYS_OUT)
def test_a_lone_half_is_refused_by_every_conversion_to_bytes(way_out: str) -> None:
    with pytest.raises(
        EvaluationError, match=r"half of a surrogate pair \(\\ud83d\) at position 1"
    ):
        evaluate(way_out, {"t": "a\ud83d"})


@pytest.mark.parametrize("way_out", WAYS_OUT)
def test_joined_halves_leave_as_the_character_does(way_out: str) -> None:
    halves = evaluate(f"[$a + $b].map(t => {way_out.replace('$t', 't')})[0]", HALVES)
    assert halves == evaluate(way_out, {"t": "😀"})


HALVES = {"a": "\ud83d", "b": "\ude00"}


def test_a_message_shows_a_lone_half_as_its_escape() -> None:
    with pytest.raises(EvaluationError, match=r"`\\ud83d`") as caught:
        evaluate("$o[$t]", {"o": {}, "t": "\ud83d"})
    assert str(caught.value).encode()
