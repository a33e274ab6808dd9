"""Base64 in practice: with line breaks, without padding; other alphabets are refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationError
from engine.expressions import evaluate


@pytest.mark.parametrize("text", ["aGk=", "aGk", " aG\r\nk \t", "aG\nk=\n"])
def test_padding_and_line_breaks_do_not_matter(text: str) -> None:
    assert evaluate("Base64.decode($)", text) == "hi"


@pytest.mark.parametrize("text", ["a", "aGk==", "aGk=aGk=", "aG*k", "a=Gk", "é"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(EvaluationError, match="not valid Base64"):
        evaluate("Base64.decode($)", text)


def test_the_url_alphabet_is_refused_with_its_translation() -> None:
    encoded = base64.urlsafe_b64encode(b"\xfb\xef\xff").decode()
    with pytest.raises(EvaluationError, match="not valid Base64") as caught:
        evaluate("Base64.decodeAsBinary($)", encoded)
    assert "Base64URL" in caught.value.hint
    translated = "Base64.decodeAsBinary($.replaceAll('-', '+').replaceAll('_', '/'))"
    assert evaluate(translated, encoded) == b"\xfb\xef\xff"


@given(st.binary(max_size=200))
def test_what_is_encoded_decodes_without_padding_and_in_lines(content: bytes) -> None:
    lines = base64.encodebytes(content).decode()
    assert evaluate("Base64.decodeAsBinary($)", lines) == content
    assert evaluate("Base64.decodeAsBinary($)", lines.replace("=", "")) == content
