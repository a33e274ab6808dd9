"""Secret values are replaced wherever a person could read them."""

from __future__ import annotations

from engine.run.secrets import Secrets


def test_masks_a_secret_inside_a_text() -> None:
    assert Secrets(["s3cret"]).mask_text("Bearer s3cret!") == "Bearer ***!"


def test_masks_secrets_deep_in_a_document() -> None:
    document = {"a": [{"token": "s3cret"}], "s3cret": 1}
    assert Secrets(["s3cret"]).mask(document) == {"a": [{"token": "***"}], "***": 1}


def test_masks_a_short_secret_only_where_it_is_the_whole_text() -> None:
    secrets = Secrets(["a"])
    assert secrets.mask({"x": "a", "y": "banana"}) == {"x": "***", "y": "banana"}


def test_masks_the_longest_secret_first() -> None:
    assert Secrets(["pass", "password"]).mask_text("password") == "***"


def test_gives_the_same_document_back_without_secrets() -> None:
    document = {"a": 1}
    assert Secrets([""]).mask(document) is document
