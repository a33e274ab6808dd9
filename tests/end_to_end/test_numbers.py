"""Every number leaves a pipeline as it came, unless the pipeline computes with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.run import inbox
from engine.testing import run_pipeline
from tests.end_to_end.numbers_as_text import NUMBERS, documents

THROUGH = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser, LINES}
  pass: {snap: Mapper, pass_through: true, mappings: {$seen: 'true'}}
  drop: {snap: Mapper, pass_through: true, mappings: {delete($seen): $seen}}
  format: {snap: JSONFormatter, LINES}
  write: {snap: FileWriter, file: out.json}
links: [read -> parse -> MIDDLE -> format -> write]
"""
SPILLING = """
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser, json_lines: true}
  both: {snap: Copy}
  none: {snap: Filter, filter: 'false'}
  run: {snap: RemotePythonScript, exact: true, source: 'def snaplogic_process(row): return row'}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.json}
links:
  - read -> parse -> both -> none -> run.script
  - both -> run -> format -> write
"""
often = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def through(text: str, lines: bool = True, middle: str = "pass") -> str:
    setting = f"json_lines: {str(lines).lower()}"
    pipeline = THROUGH.replace("LINES", setting).replace("MIDDLE", middle)
    if middle == "format":
        pipeline = pipeline.replace("-> format -> format", "-> format")
    return run_pipeline(pipeline, files={"in.json": text}).files["out.json"].decode()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("lines", [True, False])
def test_a_number_leaves_as_it_came(number: str, lines: bool) -> None:
    text = f'{{"n":{number},"list":[{number},{{"n":{number}}}]}}'
    expected = text[:-1] + ',"seen":true}'
    assert through(text, lines).strip() == (expected if lines else f"[{expected}]")


@often
@given(st.lists(documents, min_size=1, max_size=5))
def test_numbers_leave_as_they_came(texts: list[str]) -> None:
    text = "".join(f"{line}\n" for line in texts)
    assert through(text, middle="format") == text
    assert json.loads(through(text, lines=False, middle="format"), parse_float=str) == json.loads(
        f"[{','.join(texts)}]", parse_float=str
    )
