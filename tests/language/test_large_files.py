"""Help in a pipeline of 2,000 snaps, and in broken and hostile texts."""

from __future__ import annotations

import pytest

from benchmarks.large_pipeline import large_pipeline
from engine.language import Position
from engine.language.complete import complete
from engine.language.diagnose import diagnose
from engine.language.hover import hover
from engine.language.signature import signature
from tests.language.editing import opened


def test_the_last_of_many_snaps_gets_the_same_help() -> None:
    text = large_pipeline(2_000)
    document, position = opened(text.replace("$name.trim()", "$name.¦trim()", 1))
    assert "trim" in [each.label for each in complete(document, position)]
    found = hover(document, position)
    assert found is not None
    assert "Without white space" in found.markdown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeff",
        "\r",
        "\x00",
        "snaps: {" * 200,
        "a: &x [*x, *x]\n" * 50,
        "snaps:\n  a: {snap: Filter, filter: " + "(" * 500,
        "snaps:\n  a: {snap: Filter, filter: '" + "$a." * 2_000,
        "\ud83d snaps:\n",
        "snaps:\n\t- \u2028: \x85\n",
        "--- \n---\n",
        "%YAML 1.1\n",
    ],
)
@pytest.mark.parametrize("position", [(0, 0), (-5, 3), (10**9, 10**9), (1, 30)])
def test_no_text_and_no_position_makes_a_question_fail(
    text: str, position: tuple[int, int]
) -> None:
    document, _ = opened(f"{text}¦")
    place = Position(*position)
    assert isinstance(complete(document, place), list)
    assert isinstance(diagnose(document), list)
    hover(document, place)
    signature(document, place)
