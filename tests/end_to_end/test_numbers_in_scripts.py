"""Numbers of a file on their way through a script: floats by default, exact on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  script: {snap: RemotePythonScript, script: script.py, exact: EXACT}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links: [read -> parse -> script -> format -> write]
"""
HEAD = "from decimal import Decimal\ndef snaplogic_process(row):\n    return "
HUGE = "1" + "0" * 400
LINE = (
    '{"price":29.920,"count":7,"power":2.362200E+9,"zero":-0.0,'
    f'"list":[1E+2,0.1234567890123456789012345678901234],"huge":{HUGE}}}'
)


class Run:
    """What a pipeline with a script makes of one line."""

    def __init__(self, engine: Any, folder: Path) -> None:
        self._engine = engine
        self._folder = folder

    def __call__(self, result: str, line: str, *, exact: bool = False) -> str:
        (self._folder / "script.py").write_text(f"{HEAD}{result}\n")
        (self._folder / "in.jsonl").write_text(f"{line}\n")
        (self._folder / "p.yaml").write_text(PIPELINE.replace("EXACT", str(exact).lower()))
        ended = self._engine("run", "p.yaml")
        if ended.returncode:
            return str(ended.stderr)
        return (self._folder / "out.jsonl").read_text().removesuffix("\n")


@pytest.fixture
def run(engine: Any, tmp_path: Path) -> Run:
    return Run(engine, tmp_path)


def test_numbers_that_pass_through_an_exact_script_leave_as_they_came(run: Run) -> None:
    assert run("row", LINE, exact=True) == LINE


def test_arithmetic_with_exact_numbers_is_exact(run: Run) -> None:
    line = '{"price":29.920,"tax":0.19}'
    expected = '{"sum":35.60480}'
    assert run("{'sum': row['price'] * (1 + row['tax'])}", line, exact=True) == expected


def test_numbers_that_pass_through_a_script_are_floats_in_their_shortest_form(run: Run) -> None:
    line = '{"price":29.920,"third":0.33333333333333333333,"count":7}'
    assert run("row", line) == '{"price":29.92,"third":0.3333333333333333,"count":7}'


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("float('nan')", "$.n is NaN, which JSON cannot represent"),
        ("-float('inf')", "$.n is -Infinity, which JSON cannot represent"),
        ("Decimal('sNaN')", "$.n is NaN, which JSON cannot represent"),
    ],
)
def test_what_is_no_number_fails_on_its_way_out_and_names_the_field(
    run: Run, value: str, says: str
) -> None:
    answer = run(f"{{'n': {value}}}", "{}")
    assert "snap 'format'" in answer
    assert says in answer


NOT_FINITE = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 4}, {n: -1}, {n: 9}, {n: 0}]}
  compute: {snap: Mapper, mappings: {$root: Math.sqrt($n), $inverse: "[1 / $n]"}}
  script: {snap: RemotePythonScript, source: "snaplogic_process = dict", on_error: HOW}
  good: {snap: Mapper, mappings: {$good: $root}}
  bad: {snap: Mapper, mappings: {$label: $snap_details.label, $reason: $reason}}
links: [make -> compute -> script -> good, script.error -> bad]
"""


def test_nan_and_infinity_do_not_go_into_a_script(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(NOT_FINITE.replace("HOW", "route"))
    ended = engine("run", "p.yaml")
    assert ended.returncode == 0
    assert sorted(map(json.loads, ended.stdout.splitlines()), key=str) == [
        {
            "$output": "bad.output",
            "label": "script",
            "reason": "$.inverse[0] is Infinity, which JSON cannot represent",
        },
        {
            "$output": "bad.output",
            "label": "script",
            "reason": "$.root is NaN, which JSON cannot represent",
        },
        {"$output": "good.output", "good": 2},
        {"$output": "good.output", "good": 3},
    ]


def test_nan_in_a_scripts_row_stops_the_pipeline_by_default(engine: Any, tmp_path: Path) -> None:
    text = NOT_FINITE.replace("HOW", "stop").replace(", script.error -> bad", "")
    (tmp_path / "p.yaml").write_text(
        "\n".join(line for line in text.splitlines() if "bad" not in line)
    )
    ended = engine("run", "p.yaml")
    assert ended.returncode == 1
    assert "could not send a row to p.yaml: $.root is NaN" in ended.stderr
    assert ended.stdout == '{"good":2}\n'
