"""Whether two outputs hold the same documents, by value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

TOLERANCE = 1e-9
"""Relative: the engine computes in decimals, the others in floats."""


def first_difference(
    expected: Path, actual: Path, *, any_order: bool = False, fields: Sequence[str] = ()
) -> str:
    """The first document that differs, in words; empty if none does.

    Numbers may differ by rounding. Only the given fields are compared, if any are given.
    """
    ours, theirs = _documents(expected, fields), _documents(actual, fields)
    if len(ours) != len(theirs):
        return f"{len(theirs):,} documents instead of {len(ours):,}"
    if any_order:
        ours.sort(key=_sort_key)
        theirs.sort(key=_sort_key)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if not _is_equal(one, other):
            return f"document {number}: {other} instead of {one}"
    return ""


def count_documents(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _documents(path: Path, fields: Sequence[str]) -> list[dict[str, Any]]:
    documents = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    if not fields:
        return documents
    return [{field: document[field] for field in fields} for document in documents]


def _sort_key(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _is_equal(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        both_numbers = isinstance(one, bool) is isinstance(other, bool)
        return both_numbers and math.isclose(one, other, rel_tol=TOLERANCE)
    return one == other
