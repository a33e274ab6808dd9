"""The line in which somebody types is finished, so that what is around it can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pipeline.cursor import Spot
from engine.pipeline.half_written import PLACEHOLDER, finished, parse_at
from engine.pipeline.spec import PipelineSpec


def at(text: str) -> tuple[PipelineSpec, Spot]:
    """The pipeline around the mark `¦`, and what is there."""
    return parse_at(text.replace("¦", ""), text.index("¦"))


HEAD = "snaps:\n  a:\n    snap: Filter\n"
TAIL = "  b: {snap: Copy}\nlinks:\n  - a -> b\n"


@pytest.mark.parametrize(
    ("typed", "path", "part"),
    [
        ("    fil¦\n", ("snaps", "a", "fil"), "key"),
        ("    ¦\n", ("snaps", "a", PLACEHOLDER), "key"),
        ("    filter: ¦\n", ("snaps", "a", "filter"), "value"),
        ("    filter: $a.¦\n", ("snaps", "a", "filter"), "value"),
        ("    mappings:\n      $x¦\n      $y: 1\n", ("snaps", "a", "mappings", "$x"), "key"),
        ("    mappings:\n      ¦\n", ("snaps", "a", "mappings", PLACEHOLDER), "key"),
        ("    rows:\n      - ¦\n", ("snaps", "a", "rows", 0), "value"),
        ("    rows:\n      -¦\n", ("snaps", "a", "rows"), "between"),
        ("  c¦\n", ("snaps", "c"), "key"),
        ("  ¦\n", ("snaps", PLACEHOLDER), "key"),
        ("  c: {snap: Filter, fil¦\n", ("snaps", "c", "fil"), "key"),
        ("  c: {snap: ¦\n", ("snaps", "c", "snap"), "value"),
        ("  c: {snap: Filter, filter: $a.¦}\n", ("snaps", "c", "filter"), "value"),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_what_is_typed_has_its_place_and_the_rest_is_read(
    typed: str, path: tuple[str | int, ...], part: str, line_break: str
) -> None:
    spec, spot = at((HEAD + typed + TAIL).replace("\n", line_break))
    assert (spot.path, spot.part) == (path, part)
    assert spec.snaps["a"].type == "Filter"
    assert spec.snaps["b"].type == "Copy"
    assert [str(link.source) for link in spec.links] == ["a"]


@pytest.mark.parametrize(
    ("links", "path"), [("  - ¦\n", ("links", 1)), ("  - a -> ¦\n", ("links", 1))]
)
def test_a_link_that_is_typed_has_its_place(links: str, path: tuple[str | int, ...]) -> None:
    spec, spot = at(HEAD + TAIL + links)
    assert (spot.path, spot.part) == (path, "value")
    assert len(spec.links) == 1


def test_what_was_put_in_is_not_reported() -> None:
    for typed in ("    ¦\n", "  ¦\n", "    rows:\n      - ¦\n", "¦\n"):
        spec, _ = at(HEAD + typed + TAIL)
        assert spec.problems == ()


def test_a_mistake_elsewhere_is_reported() -> None:
    spec, _ = at(HEAD + "    ¦\n" + TAIL + "snps: 1\n")
    assert [problem.code for problem in spec.problems] == ["unknown-key"]


@pytest.mark.parametrize(
    "text",
    [
        "snaps:\n  a:\n    script: |\n      x = 1\n      ¦\n      y = 2\n",
        "snaps:\n  a:\n    script: |\n      import¦\n      y = 2\n",
        "snaps:\n  a:\n    text: $a +\n      b¦\n",
        "snaps:\n  a:\n    text: 'x\n      b¦'\n",
        "snaps:\n  a: {snap: Copy} # comm¦\n",
        "# comm¦\n",
        "links: [a -> b¦]\n",
    ],
)
def test_nothing_is_put_into_a_value_or_a_comment(text: str) -> None:
    plain = text.replace("¦", "")
    assert finished(plain, text.index("¦")) == plain


@given(st.text(alphabet="ab:-{}[]'\"|#$ \r\n", max_size=40), st.integers(0, 40))
def test_what_precedes_the_cursor_stays_in_its_place(text: str, index: int) -> None:
    index = min(index, len(text))
    changed = finished(text, index)
    assert changed.startswith(text[:index])
    spec, _ = parse_at(text, index)
    assert not any(PLACEHOLDER in problem.message for problem in spec.problems)
