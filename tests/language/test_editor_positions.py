"""Positions of editors, in UTF-16 units, and indexes into a text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.positions import Lines, Position, Range, units_in


@settings(max_examples=50)
@given(st.text(alphabet="a\U0001f600é\r\n\u2028\t", max_size=30), st.integers(0, 40))
def test_a_position_leads_back_to_the_same_index(text: str, index: int) -> None:
    index, lines = min(index, len(text)), Lines(text)
    if text[index - 1 : index + 1] != "\r\n":  # no editor shows a place inside a line break
        assert lines.index(lines.position(index)) == index


@settings(max_examples=50)
@given(st.text(alphabet="a\U0001f600\n", max_size=9), st.integers(-5, 9), st.integers(-5, 20))
def test_a_position_outside_the_text_means_the_nearest_inside(
    text: str, line: int, character: int
) -> None:
    assert 0 <= Lines(text).index(Position(line, character)) <= len(text)


def test_an_emoji_counts_as_two_units() -> None:
    lines = Lines("x\n\U0001f600b")
    assert lines.position(3) == (1, 2)
    assert lines.index(Position(1, 2)) == 3
    assert units_in("\U0001f600b") == 3


def test_a_place_inside_a_line_break_is_shown_before_it() -> None:
    assert Lines("ab\r\nc").position(3) == (0, 2)


def test_a_range_that_ends_before_it_starts_is_empty() -> None:
    assert Lines("abc").range(2, 1) == Range(Position(0, 2), Position(0, 2))


def test_a_line_is_found_without_its_break() -> None:
    assert Lines("a\r\nbc\nd").line_around(4) == (3, 5)
