"""docs/numbers.md is true: numbers are read and written as it says, expressions have its values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import api
from engine.expressions import to_json
from engine.testing import run_pipeline

PAGE = (Path(__file__).parents[2] / "docs/numbers.md").read_text()
NUMBERS, _, ARITHMETIC = PAGE.partition("## Arithmetic")
ROUND_TRIP = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.json}
links: [read -> parse -> format -> write]
"""


def rows(text: str) -> list[tuple[str, ...]]:
    """The code in the first and another cell of each row of the table that a text begins with."""
    cells = [re.findall(r"`([^`]+)`", line) for line in text.splitlines() if line.startswith("| `")]
    return [(codes[0], codes[-1]) for codes in cells]


@pytest.mark.parametrize(("number", "written"), rows(NUMBERS))
def test_a_number_is_written_as_the_page_says(number: str, written: str) -> None:
    files = run_pipeline(ROUND_TRIP, files={"in.json": f'{{"n": {number}}}'}).files
    assert files["out.json"].decode() == f'{{"n":{written}}}\n'


@pytest.mark.parametrize(("expression", "value"), rows(ARITHMETIC.partition("## Floats")[0]))
def test_an_expression_has_the_value_that_the_page_gives(expression: str, value: str) -> None:
    found = api.evaluate(expression, exact=True)
    assert value == ("Infinity" if found == float("inf") else to_json(found).decode())
