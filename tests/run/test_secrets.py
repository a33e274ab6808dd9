"""Secret values are replaced wherever a person could read them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from engine.run.secrets import MASK, Secrets


def test_masks_a_secret_inside_a_string() -> None:
    assert Secrets(["s3cret"]).mask_text("Bearer s3cret!") == "Bearer ***!"


def test_masks_secrets_deep_in_a_document() -> None:
    document = {"a": [{"token": "s3cret"}], "s3cret": 1}
    assert Secrets(["s3cret"]).mask(document) == {"a": [{"token": "***"}], "***": 1}


def test_masks_a_short_secret_only_as_a_complete_string() -> None:
    secrets = Secrets(["a"])
    assert secrets.mask({"x": "a", "y": "banana"}) == {"x": "***", "y": "banana"}


def test_masks_the_longest_secret_first() -> None:
    assert Secrets(["pass", "password"]).mask_text("password") == "***"


def test_returns_the_same_document_without_secrets() -> None:
    document = {"a": 1}
    assert Secrets([""]).mask(document) is document


def test_masks_the_beginning_of_a_secret_that_a_message_cut() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.payload.signature"
    assert Secrets([secret]).mask_text(f"got {secret[:20]}…") == "got ***…"


@pytest.mark.parametrize("form", ["a%20b%2Fc%26", "a+b%2Fc%26", "a%20b/c%26"])
def test_masks_a_secret_as_a_url_writes_it(form: str) -> None:
    assert Secrets(["a b/c&"]).mask_text(f"GET http://h/?token={form}") == "GET http://h/?token=***"


def test_masks_a_secret_as_json_and_python_write_it() -> None:
    secret = 'pa"ss\\word\n'
    masked = Secrets([secret])
    assert masked.mask_text(f"json {json.dumps(secret)}") == 'json "***"'
    assert secret not in masked.mask_text(f"python {secret!r}")
    assert "word" not in masked.mask_text(f"python {secret!r}")


def test_masks_numbers_bytes_and_keys() -> None:
    secrets = Secrets(["8675309"])
    document = {"n": 8675309, "b": b"x8675309", 5: "y", None: (8675309,)}
    assert secrets.mask(document) == {"n": "***", "b": b"x***", 5: "y", None: ["***"]}


def test_masks_a_number_of_the_same_value() -> None:
    secrets = Secrets(["29.920", "1234", "1", "007"])
    given = [Decimal("29.920"), Decimal("29.92"), 29.92, Decimal("1234.0"), True, 7, 29.93]
    assert secrets.mask(given) == [MASK, MASK, MASK, MASK, True, 7, 29.93]


def test_a_document_that_is_too_deep_is_masked_completely() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert Secrets(["secret"]).mask({"deep": deep}) == "***"


def test_masks_a_secret_that_is_added_later() -> None:
    secrets = Secrets(["first"])
    secrets.add(["second", ""])
    assert secrets.mask({"a": "first second"}) == {"a": "*** ***"}


def test_an_inner_run_masks_what_the_outer_one_adds_later_but_not_the_reverse() -> None:
    outer = Secrets(["first"])
    inner = Secrets(["inner"], outer)
    outer.add(["firstlonger"])
    assert inner.mask_text("inner first firstlonger") == "*** *** ***"
    assert outer.mask_text("inner") == "inner"
