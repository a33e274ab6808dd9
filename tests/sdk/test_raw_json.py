"""JSON text that stands for its value."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from engine.sdk import RawJson, to_json, without_raw_json
from engine.sdk.plain_values import plain

SPACED = RawJson(b"[1, 2.50]")


def test_a_document_with_json_text_is_plain_and_survives_pickling() -> None:
    document = {"a": [{"b": SPACED}]}
    assert plain(document) is document
    assert pickle.loads(pickle.dumps(document)) == document


def test_json_text_is_replaced_by_its_value_at_any_depth() -> None:
    document: Any = {"a": [{"b": SPACED}, 1], "c": {"d": 2}}
    made = without_raw_json(document)
    assert made == {"a": [{"b": [1, Decimal("2.50")]}, 1], "c": {"d": 2}}
    assert str(made["a"][0]["b"][1]) == "2.50"
    assert document["a"][0] == {"b": SPACED}


def test_a_document_without_json_text_stays_the_same_object() -> None:
    document = {"a": [{"b": 1}], "c": {"d": None}}
    assert without_raw_json(document) is document


@pytest.mark.parametrize("canonical", [False, True])
def test_json_text_is_written_as_its_value_would_be(canonical: bool) -> None:
    text = RawJson(b'{"a":[1,2]}' if canonical else b'{ "a": [1, 2]}', canonical=canonical)
    assert to_json({"x": text}) == b'{"x":{"a":[1,2]}}'
