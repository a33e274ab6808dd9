"""JSON text of which lists of numbers stay text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.documents import RawJson, without_raw_json
from engine.sdk.json_errors import JsonSyntaxError
from engine.sdk.json_input import decoded_value
from engine.sdk.moved_json import decoded_with_text, places_of

IMAGE = json.dumps([[column / 28 for column in range(28)] for _ in range(28)])
SEEN = places_of([("token",), ("params", "n"), ("params", "rows", "x")])


def decoded(text: str) -> Any:
    return decoded_with_text(text.encode(), SEEN)


def test_lists_of_numbers_that_are_not_read_stay_text() -> None:
    document = decoded(f'{{"a":{IMAGE},"params":{{"image": {IMAGE} , "n":1.50}},"token":"x"}}')
    assert document["a"] == document["params"]["image"] == RawJson(IMAGE.encode())
    assert repr(document["params"]["n"]) == "Decimal('1.50')"


@pytest.mark.parametrize(
    "text", [f'{{"token":{IMAGE}}}', f'{{"params":{{"n":{{"inside":{IMAGE}}},"rows":{IMAGE}}}}}']
)
def test_lists_that_are_read_are_decoded(text: str) -> None:
    assert repr(decoded(text)) == repr(decoded_value(text.encode()))


DIGITS = "9" * 5_000
LONG = ",".join(["0.5"] * 100)


@pytest.mark.parametrize(
    "item",
    [
        *("01", "1.", "-", ".5", "+1", "NaN", "1e", "1 2", "]", ",", "[", '"\xff"', '"\\ud800"'),
        *("1e10001", "1E-99999", f"0.{DIGITS}", DIGITS, f"{DIGITS}.5", "1e1000000000"),
        *('"text"', "null", "true", '{"a": 1.5}', "[" * 500 + "]" * 500, "[" * 9 + "]" * 9),
        *("1e5", "1E-5", "-0.0", "-0", "1.50", "0.1234567890123456789012345678901234", "[]", " 1 "),
        "9" * 400,
    ],
)
def test_every_text_has_the_value_or_the_error_that_it_has_otherwise(item: str) -> None:
    text = f'{{"a": [{LONG},{item},{LONG}], "params": {{"x": [{item}, {LONG}]}}}}'.encode("latin-1")
    assert outcome(text, keeps_text=True) == outcome(text, keeps_text=False)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([[0.5] * 60, [[0.25, 1] * 30], [[1e-7] * 60] * 2]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)
DOCUMENTS = st.dictionaries(st.sampled_from(["token", "params", "a", "rows", "n"]), VALUES)


@given(DOCUMENTS, st.booleans())
def test_every_document_has_the_value_that_it_has_otherwise(
    document: dict[str, Any], ascii_only: bool
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert outcome(text, keeps_text=True) == outcome(text, keeps_text=False)


def outcome(text: bytes, *, keeps_text: bool) -> str:
    try:
        value = decoded_with_text(text, SEEN) if keeps_text else decoded_value(text)
    except JsonSyntaxError as error:
        return error.placed(text)
    return repr(without_raw_json(value))
