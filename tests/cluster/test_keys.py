"""Keys that a snap finds equal have equal hashes, in every process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.cluster.keys import hash_of
from engine.documents import RawJson
from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime
from engine.sdk import keys_of

NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30),
    st.integers(-3, 3),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9, max_value=9),
    st.sampled_from([Decimal("1E+3"), Decimal("1000.0"), 1000, 0.1, Decimal("0.10"), 1e20, -0.0]),
)
SINGLE = st.one_of(
    NUMBERS,
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.sampled_from(["1", "null", "", "\ud800", "ß"]),
    st.binary(max_size=2),
    st.sampled_from(
        [
            DateTime(2024, 5, 1, 12, tzinfo=UTC),
            DateTime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))),
            DateTime(2024, 5, 1, 14, 0, 0, 1000, tzinfo=timezone(timedelta(hours=2))),
            DateTime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            LocalDateTime(2024, 5, 1, 12),
            LocalDateTime(2024, 5, 1, 12, fold=1),
            LocalDate(2024, 5, 1),
            LocalTime(12, 0),
            LocalTime(12, 0, 0),
        ]
    ),
)
VALUES = st.recursive(
    SINGLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(left=VALUES, right=VALUES)
def test_equal_keys_have_equal_hashes(left: Any, right: Any) -> None:
    first, second = keys_of([[left, right]])
    assert first != second or hash_of(left) == hash_of(right)


@given(value=VALUES, change=st.sampled_from(["reordered", "as decimals", "as floats"]))
def test_a_value_written_in_another_way_has_the_same_hash(value: Any, change: str) -> None:
    other = _changed(value, _CHANGES[change])
    first, second = keys_of([[value, other]])
    assert first == second
    assert hash_of(value) == hash_of(other)


def test_a_value_that_is_still_json_text_has_the_hash_of_the_value() -> None:
    assert hash_of(RawJson(b'{"b": [1.50], "a": null}')) == hash_of(
        {"a": None, "b": [Decimal("1.5")]}
    )


def test_hashes_are_the_same_in_another_process() -> None:
    text = (
        "from engine.cluster.keys import hash_of; from decimal import Decimal; "
        "from engine.expressions.dates import DateTime, LocalDate; from datetime import UTC; "
        "print([hash_of(v) for v in ['é', 7, Decimal('1.5'), None, True, b'x', [1, 'a'], "
        "{'k': 'v'}, DateTime(2024, 5, 1, tzinfo=UTC), LocalDate(2024, 5, 1)]])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", text],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _changed(value[key], change) for key in sorted(value, reverse=True)}
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    return change(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


def _as_float(value: Any) -> Any:
    """The float that counts as the same number, if there is one."""
    if not _is_number(value) or isinstance(value, float) or abs(value) > 1e15:
        return value
    found = float(value)
    return found if Decimal(repr(found)) == value else value


def _as_decimal(value: Any) -> Any:
    if not _is_number(value):
        return value
    return Decimal(str(value)) + Decimal("0.000") if abs(value) < 10**9 else value


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "reordered": lambda value: value,
    "as decimals": _as_decimal,
    "as floats": _as_float,
}
