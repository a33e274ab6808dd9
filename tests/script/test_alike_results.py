"""A script that returns many documents alike, and then one that is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.sdk.scripts import ScriptError
from tests.script.conftest import Opened

ALIKE = 200
"""Enough for the process to know what the documents look like."""

SCRIPT = """
import collections, datetime, decimal
def snaplogic_process(row):
    if "odd" in row:
        return eval(row["odd"])
    return {"n": row["n"], "x": "text", "y": 0.5}
"""


def answers(opened: Opened, odd: str) -> list[Any]:
    """The answers to documents alike, to an odd one, and to one more like the first."""
    session = opened(SCRIPT)
    session.start()
    return session.process([*({"n": n} for n in range(ALIKE)), {"odd": odd}, {"n": 7}])


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ("{'n': 1, 'x': None, 'y': 0.5}", {"n": 1, "x": None, "y": 0.5}),
        ("{'n': True, 'x': 2**70, 'y': 1}", {"n": True, "x": 2**70, "y": 1}),
        ("{'n': 1, 'x': b'bytes', 'y': 0.5}", {"n": 1, "x": "bytes", "y": 0.5}),
        ("{'n': 1, 'x': (1, 2), 'y': 0.5}", {"n": 1, "x": [1, 2], "y": 0.5}),
        ("{'n': 1, 'x': datetime.date(2026, 1, 2), 'y': 0}", {"n": 1, "x": "2026-01-02", "y": 0}),
        ("{'n': 1, 'x': decimal.Decimal('1.50'), 'y': 0}", {"n": 1, "x": Decimal("1.50"), "y": 0}),
        ("{'y': 0.5, 'x': 'text', 'n': 1}", {"y": 0.5, "x": "text", "n": 1}),
        ("{'n': 1, 'x': 'text', 'z': 0.5}", {"n": 1, "x": "text", "z": 0.5}),
        ("{'n': 1, 'x': 'text'}", {"n": 1, "x": "text"}),
        ("{'n': 1, 'x': 'text', 3: 0.5}", {"n": 1, "x": "text", "3": 0.5}),
        ("collections.OrderedDict(n=1, x=(), y=0.5)", {"n": 1, "x": [], "y": 0.5}),
    ],
)
def test_a_document_that_is_not_like_those_before_it_is_converted(
    opened: Opened, odd: str, expected: dict[str, Any]
) -> None:
    *alike, given, after = answers(opened, odd)
    assert alike == [[{"n": n, "x": "text", "y": 0.5}] for n in range(ALIKE)]
    assert repr(given) == repr([expected])
    assert after == [{"n": 7, "x": "text", "y": 0.5}]


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ("{'n': 1, 'x': {2}, 'y': 0.5}", "key 'x' of the result holds a set"),
        ("{'n': 1, 'x': object(), 'y': 0.5}", "key 'x' of the result holds an object"),
        ("{'n': 1, 'x': '\\ud800', 'y': 0.5}", "not valid Unicode"),
        ("{'n': 10**5000, 'x': 'text', 'y': 0.5}", "an integer of more than 4,300 digits"),
    ],
)
def test_an_invalid_document_after_valid_ones_is_an_error(
    opened: Opened, odd: str, says: str
) -> None:
    *_, given, after = answers(opened, odd)
    assert isinstance(given, ScriptError)
    assert says in given.reason
    assert after == [{"n": 7, "x": "text", "y": 0.5}]


def test_a_drop_document_with_the_keys_of_those_before_it_is_dropped(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            return {"n": row["n"], "snaplogic_flag": "drop" if row["n"] == 150 else "keep"}
    """)
    session.start()
    given = session.process([{"n": n} for n in range(ALIKE)])
    assert given[150] == []
    assert given[151] == [{"n": 151, "snaplogic_flag": "keep"}]


def test_documents_that_all_have_other_keys_come_back_unchanged(opened: Opened) -> None:
    session = opened("def snaplogic_process(row):\n    return row\n")
    session.start()
    rows = [{f"key {n}": n, "'": "x", "\\": None} for n in range(ALIKE)]
    assert session.process(rows) == [[row] for row in rows]
    alike = [{"'": n, "\\": None, '"': 0.5, "{n}": n} for n in range(ALIKE)]
    assert session.process(alike) == [[row] for row in alike]
