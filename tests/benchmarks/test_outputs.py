"""Comparing the outputs of competitors by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.outputs import first_difference

ONE = '{"id":1,"price":0.3,"tags":["a"]}\n'
TWO = '{"id":2,"price":10,"tags":[]}\n'


def difference(folder: Path, expected: str, actual: str, **options: object) -> str:
    (folder / "expected").write_text(expected)
    (folder / "actual").write_text(actual)
    return first_difference(folder / "expected", folder / "actual", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "actual",
    [ONE, '{"price": 0.30000000000000004, "tags": ["a"], "id": 1.0}\n'],
    ids=["the same bytes", "another spelling"],
)
def test_documents_are_equal_by_value(actual: str, tmp_path: Path) -> None:
    assert difference(tmp_path, ONE, actual) == ""


@pytest.mark.parametrize(
    "actual",
    [
        ONE.replace("0.3", "0.31"),
        ONE.replace('"a"', '"b"'),
        ONE.replace('["a"]', '["a","a"]'),
        ONE.replace('"id":1,', ""),
        ONE.replace(":1,", ":true,"),
        ONE.replace(":1,", ':"1",'),
    ],
    ids=["a number", "a string", "a longer list", "a missing field", "a boolean", "a type"],
)
def test_a_different_document_is_shown(actual: str, tmp_path: Path) -> None:
    assert difference(tmp_path, ONE, actual).startswith("document 0: {")


def test_a_missing_document_is_counted(tmp_path: Path) -> None:
    assert difference(tmp_path, ONE + TWO, ONE) == "1 documents instead of 2"


def test_the_order_matters_unless_any_order_is_right(tmp_path: Path) -> None:
    assert difference(tmp_path, ONE + TWO, TWO + ONE)
    assert not difference(tmp_path, ONE + TWO, TWO + ONE, any_order=True)


def test_only_the_given_fields_are_compared(tmp_path: Path) -> None:
    other = ONE.replace("0.3", "7")
    assert not difference(tmp_path, ONE, other, fields=("id", "tags"))
    assert difference(tmp_path, ONE, other, fields=("id", "price"))
