"""What a preview stores: values of every kind, and the store itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions.dates import DateTime, LocalDate, LocalDateTime, LocalTime, zone
from engine.preview.codec import pack, unpack
from engine.preview.store import Held, Store


def _in_berlin(hour: int, is_second: bool) -> DateTime:
    """A time on the day on which there are two hours from 2 to 3."""
    fold = int(is_second and hour == 2)
    return DateTime(2026, 10, 25, hour, 30, fold=fold, tzinfo=zone("Europe/Berlin"))


_DATES = st.one_of(
    st.builds(DateTime, *[st.integers(1, 12)] * 3, tzinfo=st.sampled_from([UTC, zone("+02:00")])),
    st.builds(_in_berlin, st.integers(0, 23), st.booleans()),
    st.builds(LocalDate, *[st.integers(1, 12)] * 3),
    st.builds(LocalTime, *[st.integers(1, 12)] * 3),
    st.builds(LocalDateTime, *[st.integers(1, 12)] * 3),
)


_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.decimals(allow_nan=False, allow_infinity=False),
        st.text(),
        st.binary(),
        _DATES,
    ),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


@settings(max_examples=25)
@given(_VALUES)
def test_a_value_is_the_same_after_it_was_stored(value: Any) -> None:
    assert repr(unpack(pack(value))) == repr(value)


def test_two_previews_at_the_same_time_do_not_harm_each_other(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "p.yaml"), str(tmp_path))

    def save(number: int) -> int:
        store.save(Held(bytes([number]) * 16))
        held = store.load()
        assert held is not None
        return held.salt[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(save, range(64))) <= set(range(64))
    assert [file.suffix for file in store.path.parent.iterdir()] == [".preview"]
