"""Numbers as JSON text, in the form in which the engine writes them."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

NUMBERS = [
    "0",
    "-7",
    "1234567890123456789012345678901234567890",
    "29.920",
    "0.1",
    "0.10",
    "-0.0",
    "1E+2",
    "2.362200E+9",
    "1.5E-7",
    "0E-10",
    "1E+400",
    "-9.999E-9999",
    "0.1234567890123456789012345678901234567890",
]


def _decimal(sign: int, digits: int, exponent: int) -> str:
    return str(Decimal((sign, Decimal(digits).as_tuple().digits, exponent)))


integers = st.integers(-(10**45), 10**45).map(str)
decimals = st.builds(
    _decimal,
    st.integers(0, 1),
    st.integers(0, 10**40),
    st.integers(-60, 60).filter(bool),
)
numbers = st.sampled_from(NUMBERS) | integers | decimals


def _object(items: list[str]) -> str:
    fields = ",".join(f'"f{place}":{item}' for place, item in enumerate(items))
    return f"{{{fields}}}"


documents = st.recursive(
    numbers,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(inner, max_size=4).map(_object)
    ),
    max_leaves=12,
).map(lambda value: f'{{"value":{value}}}')
"""Objects of numbers, as the formatter writes them."""
