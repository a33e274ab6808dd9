"""docs/formats.md is true: CSV and XML are read as its tables say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.documents import StreamEnd, StreamStart
from engine.testing import run_pipeline, run_snap

PAGE = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")


def rows(title: str) -> Iterator[list[str]]:
    """The cells of the first table of a section, without its head."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def code(cell: str) -> str:
    found = re.match(r"`([^`]+)`", cell)
    assert found is not None, cell
    return found[1]


@pytest.mark.parametrize(("xml", "document"), [(code(a), code(b)) for a, b in rows("XML")])
def test_xml_becomes_the_document_beside_it(xml: str, document: str) -> None:
    pieces: list[Any] = [StreamStart(), xml.encode(), StreamEnd()]
    assert run_snap("XMLParser", {}, pieces).output == [json.loads(document)]
    written = run_snap("XMLFormatter", {"root_element": ""}, [json.loads(document)]).output[1]
    assert written.decode().endswith(f"?>{xml}")


VALUES = [
    (code(written), code(value))
    for written, value in rows("CSV")
    if re.fullmatch("`[^`,]+`", written) and value.startswith("`")
]


@pytest.mark.parametrize(("written", "value"), VALUES)
def test_csv_becomes_the_value_beside_it(written: str, value: str) -> None:
    pieces: list[Any] = [StreamStart(), f"a,b\n{written},x\n".encode(), StreamEnd()]
    assert run_snap("CSVParser", {}, pieces).output == [{"a": value, "b": "x"}]


def test_there_are_values_to_read() -> None:
    assert len(VALUES) >= 4


def test_the_invoices_of_the_guide_become_lines() -> None:
    [text] = [
        text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "lines:" in text
    ]
    invoices = (
        "<invoices><invoice no='1'><items><item n='1'/><item n='2'/></items></invoice>"
        "<invoice no='2'><items><item n='3'/></items></invoice>"
        "<invoice no='3'><items/></invoice></invoices>"
    )
    assert run_pipeline(text, files={"invoices.xml": invoices}).output == [
        {"@n": 1, "@no": 1},
        {"@n": 2, "@no": 1},
        {"@n": 3, "@no": 2},
    ]
