"""docs/numbers.md is true: numbers are read and written as it says, expressions have its values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import api
from engine.errors import EvaluationError, SnapFailedError
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


def limit(name: str) -> int:
    """A limit in the table of the section about bounds."""
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {name} ")]
    return int(re.findall(r"[\d,]+", row)[-1].replace(",", ""))


DIGITS, EXPONENT = limit("digits of a number"), limit("exponent")


@pytest.mark.parametrize("number", ["9" * DIGITS, f"1E+{EXPONENT}", f"1E-{EXPONENT}"])
def test_a_number_at_a_limit_passes_unchanged(number: str) -> None:
    files = run_pipeline(ROUND_TRIP, files={"in.json": f'{{"n":{number}}}'}).files
    assert files["out.json"].decode() == f'{{"n":{number}}}\n'


@pytest.mark.parametrize("number", ["9" * (DIGITS + 1), f"1e{EXPONENT + 1}", f"1e-{EXPONENT + 1}"])
def test_a_number_beyond_a_limit_is_an_error_that_names_line_and_column(number: str) -> None:
    with pytest.raises(SnapFailedError, match=r"limit .*line 2, column 7"):
        run_pipeline(ROUND_TRIP, files={"in.json": f'{{"m": 1,\n "n": {number}}}'})


@pytest.mark.parametrize("expression", [f"1e{EXPONENT} * 10", f"1e-{EXPONENT} / 10"])
def test_an_expression_with_a_result_beyond_a_limit_fails(expression: str) -> None:
    with pytest.raises(EvaluationError, match=r"would be too (large|small)"):
        api.evaluate(expression)


def test_nan_is_read_by_default_but_cannot_be_written() -> None:
    with pytest.raises(SnapFailedError, match=r"'format' .*\n.*\$\.n is NaN"):
        run_pipeline(ROUND_TRIP, files={"in.json": '{"n": NaN}'})
    strict = ROUND_TRIP.replace("snap: JSONParser", "snap: JSONParser, non_standard_json: false")
    with pytest.raises(SnapFailedError, match="'parse' "):
        run_pipeline(strict, files={"in.json": '{"n": NaN}'})
