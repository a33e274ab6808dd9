"""docs/cheat-sheet.md is true: each row has the results that it shows, in all three languages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import EvaluationError
from engine.expressions import to_json

PAGE = (Path(__file__).parents[2] / "docs/cheat-sheet.md").read_text(encoding="utf-8")
[DOCUMENT] = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
[LIBRARY] = re.findall(r"^```js\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PARAMETERS = {"least": "10"}
NODE = """
const {document, least, codes} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const found = codes.map(code => {
  try {
    const value = new Function('d', 'least', `return (${code})`)(structuredClone(document), least);
    return value === undefined ? 'undefined' : JSON.stringify(value);
  } catch (error) {
    return 'error';
  }
});
console.log(JSON.stringify(found));
"""


@dataclass(frozen=True)
class Row:
    """A row of the page: the code in each language, and the JSON that it should return."""

    section: str
    task: str
    codes: Mapping[str, str]
    results: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.section}: {self.task}"


def rows() -> Iterator[Row]:
    for section, text in re.findall(r"^##+ (.*)\n((?:(?!#).*\n?)*)", PAGE, re.MULTILINE):
        for line in text.splitlines():
            if line.startswith("| ") and not line.startswith("| Task"):
                yield row(section, line)


def row(section: str, line: str) -> Row:
    task, *cells, result = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    codes, results = {}, {}
    for language, cell in zip(("Snapline", "JavaScript", "jq"), cells, strict=True):
        if cell != "–":
            code, _, other = cell.replace("\\|", "|").partition(" → ")
            codes[language] = code.strip("`")
            results[language] = (other or result).strip("`")
    return Row(section, task, codes, results)


ROWS = list(rows())


def value(text: str) -> Any:
    """JSON as values that compare exactly; words that are not JSON as they are."""
    return text if text in ("error", "undefined") else json.loads(text, parse_float=Decimal)


def in_language(language: str) -> list[Row]:
    return [row for row in ROWS if language in row.codes]


@pytest.fixture(scope="module")
def javascript() -> list[str]:
    """The result of each row in JavaScript, as JSON."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    codes = [row.codes["JavaScript"] for row in in_language("JavaScript")]
    given = {"document": json.loads(DOCUMENT), **PARAMETERS, "codes": codes}
    found: list[str] = json.loads(output(["node", "-e", NODE], json.dumps(given)))
    return found


@pytest.fixture(scope="module")
def jq() -> list[str]:
    """The result of each row in jq, as JSON."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    codes = [row.codes["jq"] for row in in_language("jq")]
    program = ", ".join(f'(try ({code} | tojson) catch "error")' for code in codes)
    arguments = [text for item in PARAMETERS.items() for text in ("--arg", *item)]
    lines = output(["jq", "--raw-output", *arguments, program], DOCUMENT).splitlines()
    assert len(lines) == len(codes)
    return lines


def output(command: list[str], given: str) -> str:
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=240, check=True
    )
    return done.stdout


def evaluated(row: Row) -> str:
    document = json.loads(DOCUMENT, parse_float=Decimal)
    found = api.evaluate(
        row.codes["Snapline"],
        document,
        PARAMETERS,
        null_safe=row.section == "With null-safe access",
        libraries={"money": LIBRARY},
        exact=True,
    )
    return to_json(found).decode()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_expression_returns_what_the_page_shows(row: Row) -> None:
    expected = row.results["Snapline"]
    if expected == "error":
        with pytest.raises(EvaluationError):
            evaluated(row)
    else:
        assert evaluated(row) == to_json(value(expected)).decode()


@pytest.mark.parametrize("row", in_language("JavaScript"), ids=str)
def test_javascript_returns_what_the_page_shows(row: Row, javascript: list[str]) -> None:
    found = javascript[in_language("JavaScript").index(row)]
    assert value(found) == value(row.results["JavaScript"])


@pytest.mark.parametrize("row", in_language("jq"), ids=str)
def test_jq_returns_what_the_page_shows(row: Row, jq: list[str]) -> None:
    assert value(jq[in_language("jq").index(row)]) == value(row.results["jq"])


def test_the_page_has_rows_in_every_section() -> None:
    assert len({str(row) for row in ROWS}) == len(ROWS) > 70
    assert {row.section for row in ROWS} >= {"Paths", "Dates", "With null-safe access", "JSONPath"}
