"""Numbers on their way into a script and back: floats by default, exact on request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.sdk import to_json

NUMBERS = {
    "price": Decimal("29.920"),
    "count": 7,
    "list": [Decimal("1E-9"), {"long": Decimal("0.1234567890123456789012345678901234")}],
    "float": 0.1,
}
HUGE = 10**400
ECHO = "def snaplogic_process(row):\n    return row\n"
SHOWN = "def snaplogic_process(row):\n    return {key: repr(row[key]) for key in row}\n"


@pytest.fixture
def through(run_snap: Any) -> Any:
    """What a script makes of a row; the numbers are exact."""

    def run(source: str, row: dict[str, Any], **settings: Any) -> dict[str, Any]:
        settings = {"source": source, **settings}
        [document] = run_snap("RemotePythonScript", settings, [row], exact=True).output
        return document  # type: ignore[no-any-return]

    return run


def test_a_script_gets_ints_and_floats(through: Any) -> None:
    assert through(SHOWN, NUMBERS) == {
        "price": "29.92",
        "count": "7",
        "list": "[1e-09, {'long': 0.12345678901234568}]",
        "float": "0.1",
    }


def test_a_script_that_wants_exact_numbers_gets_decimals_with_their_scale(through: Any) -> None:
    assert through(SHOWN, NUMBERS, exact=True) == {
        "price": "Decimal('29.920')",
        "count": "7",
        "list": "[Decimal('1E-9'), {'long': Decimal('0.1234567890123456789012345678901234')}]",
        "float": "Decimal('0.1')",
    }


def test_exact_numbers_come_back_as_they_went(through: Any) -> None:
    assert repr(through(ECHO, NUMBERS, exact=True)) == repr(NUMBERS | {"float": Decimal("0.1")})


@pytest.mark.parametrize("exact", [False, True])
def test_integers_of_any_size_cross_unchanged(through: Any, exact: bool) -> None:
    row = {"a": [HUGE, -HUGE], "b": 1 << 64, "c": (1 << 64) - 1}
    assert through(ECHO, row, exact=exact) == row


def test_decimals_of_a_script_keep_their_digits_even_without_exact(through: Any) -> None:
    source = """
from decimal import Decimal
def snaplogic_process(row):
    return {"sum": Decimal("0.10") + Decimal("0.20"), "many": [Decimal("1.0000000000000000001")]}
"""
    given = through(source, {})
    assert repr(given) == "{'sum': Decimal('0.30'), 'many': [Decimal('1.0000000000000000001')]}"


@pytest.mark.parametrize("count", [1, 3000])
def test_floats_with_an_exponent_are_written_as_their_decimals(run_snap: Any, count: int) -> None:
    source = """
def snaplogic_process(row):
    return {"large": [1e22, -1.5e16, 1e300], "small": {"x": 1e-7, "y": -2.5e-6}, "row": row["n"],
            "usual": [0.5, 1e15, 1e-5, 0.0, -0.0, 5.0], "text": "\u02c8\u02cf"}
"""
    rows = [{"n": number} for number in range(count)]
    given = run_snap("RemotePythonScript", {"source": source}, rows, exact=True).output
    assert [document.pop("row") for document in given] == list(range(count))
    assert {to_json(document) for document in given} == {
        b'{"large":[1E+22,-1.5E+16,1E+300],"small":{"x":1E-7,"y":-0.0000025},'
        b'"usual":[0.5,1000000000000000.0,0.00001,0.0,-0.0,5.0],"text":"\xcb\x88\xcb\x8f"}'
    }


def test_nan_and_infinity_of_a_script_stay_what_they_are(through: Any) -> None:
    source = """
def snaplogic_process(row):
    return {"x": [float("nan"), float("inf"), float("-inf"), 1e22]}
"""
    assert repr(through(source, {})) == "{'x': [nan, inf, -inf, Decimal('1E+22')]}"


def test_a_decimal_is_the_nearest_float(through: Any) -> None:
    source = """
def snaplogic_process(row):
    return {"same": row["a"] == 0.1 and row["b"] == 1e23 and row["c"] == float("inf")}
"""
    row = {"a": Decimal("0.1000000000000000055511151231257827"), "b": Decimal("1E23")}
    assert through(source, row | {"c": Decimal("1E400")}) == {"same": True}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            "Decimal('1E+10001')",
            "key 'n' of the result holds a decimal with more than 4,300 digits",
        ),
        ("Decimal('1.' + '1' * 4300)", "key 'n' of the result holds a decimal with more than"),
        ("10 ** 4300", "the key 'n' holds an integer of more than 4,300 digits"),
    ],
)
def test_a_number_out_of_bounds_fails_its_row_and_is_named(
    run_snap: Any, value: str, says: str
) -> None:
    source = (
        "from decimal import Decimal\n"
        f"def snaplogic_process(row):\n    return {{'n': {value}}} if row['bad'] else row\n"
    )
    rows = [{"bad": 0}, {"bad": 1}, {"bad": 0}]
    ran = run_snap("RemotePythonScript", {"source": source}, rows, on_error="route")
    [error] = ran.errors
    assert says in error["reason"]
    assert ran.output == [{"bad": 0}, {"bad": 0}]
