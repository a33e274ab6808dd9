"""Each character of a value maps back to its place in the file."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pipeline import parse
from engine.pipeline.source import Source

EXPRESSIONS = st.text(alphabet=st.sampled_from("ab$_. '\"\\:#\n\té\U0001f600=+"), max_size=60)
KEY = ("snaps", "a", "key")


def source_of(text: str) -> Source:
    spec = parse(text)
    assert spec.problems == ()
    return spec.source


def found_at(source: Source, offset: int, length: int = 1) -> str:
    place = source.position(KEY, offset, length)
    line = source.text.lines[place.line - 1]
    return line[place.column - 1 : place.column - 1 + place.length]


@pytest.mark.parametrize(
    ("written", "offset", "expected"),
    [
        ("$a == _tok", 6, "_tok"),
        ("'$a == ''x'' + _tok'", 12, "_tok"),
        (r'"$a == \"\u0041\" + _tok"', 12, "_tok"),
        ("|\n      $a ==\n        _tok\n", 8, "_tok"),
        (">\n      $a ==\n      _tok\n", 6, "_tok"),
        (">-\n\n      $a ==\n\n        more\n      _tok\n", 15, "_tok"),
        ("$a ==\n      _tok", 6, "_tok"),
        ('"$a == \\\n      _tok"', 6, "_tok"),
        ("|2\n      $a ==\n       _tok\n", 7, "_tok"),
    ],
)
def test_points_into_every_style_of_value(written: str, offset: int, expected: str) -> None:
    source = source_of(f"snaps:\n  a:\n    snap: X\n    key: {written}\n")
    assert found_at(source, offset, len(expected)) == expected


@settings(deadline=None)
@given(EXPRESSIONS, st.sampled_from([None, "'", '"', "|", ">"]), st.integers(10, 80))
def test_every_character_leads_to_itself(value: str, style: str | None, width: int) -> None:
    written = yaml.dump(
        {"snaps": {"a": {"key": value, "snap": "X"}}},
        default_style=style,
        width=width,
        allow_unicode=True,
    )
    source = source_of(written)
    for offset, character in enumerate(value):
        if not character.isspace() and character not in "'\"\\":
            found = found_at(source, offset)
            assert found == character or found.startswith("\\"), (written, offset)


def test_an_offset_behind_the_end_points_behind_the_value() -> None:
    source = source_of("snaps:\n  a: {snap: X, key: $a ==}\n")
    place = source.position(KEY, len("$a =="))
    assert (place.line, place.column) == (2, 26)


def test_points_into_keys() -> None:
    source = source_of('snaps:\n  a:\n    snap: X\n    key: {"$a.\'b": 1}\n')
    place = source.position((*KEY, "$a.'b"), 3, 2, at_key=True)
    assert (place.line, place.column, place.length) == (4, 15, 2)


def test_a_path_that_is_not_there_leads_to_its_nearest_parent() -> None:
    source = source_of("snaps:\n  a: {snap: X, key: [1, {b: 2}]}\n")
    assert source.where((*KEY, 1, "b")).column == 29
    assert source.where((*KEY, 1, "c", 7)).column == 25
    assert source.where((*KEY, 9)).column == 21


def test_an_alias_leads_to_where_the_value_is_written() -> None:
    source = source_of("snaps:\n  b: {snap: X, key: &e $a}\n  a: {snap: X, key: *e}\n")
    assert source.position(KEY, 1).line == 2
