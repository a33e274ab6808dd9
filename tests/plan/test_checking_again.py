"""Checking is cheap: each expression is parsed once and never compiled, and a second look after an
edit parses only what the edit changed."""

from __future__ import annotations

import re

import pytest

from benchmarks.large_pipeline import large_pipeline
from engine.expressions.compiler.unit import Unit
from engine.expressions.nodes import Node
from engine.expressions.parsed import Memo
from engine.expressions.parser import Parser
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import Registry, discover


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


@pytest.fixture
def texts_parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The expressions that are parsed during the test, in order."""
    texts: list[str] = []
    complete = Parser.complete

    def counting(parser: Parser) -> Node:
        texts.append(parser.text)
        return complete(parser)

    monkeypatch.setattr(Parser, "complete", counting)
    return texts


def pipeline(mark: str) -> str:
    """A pipeline whose expressions no other test has."""
    return re.sub(r"\ba(?=\d)", mark, large_pipeline())


def test_each_expression_is_parsed_once(registry: Registry, texts_parsed: list[str]) -> None:
    check_spec(parse(pipeline("once")), registry)
    assert len(texts_parsed) > 150
    assert len(texts_parsed) == len(set(texts_parsed))


def test_after_an_edit_only_the_changed_expression_is_parsed(
    registry: Registry, texts_parsed: list[str]
) -> None:
    text = pipeline("edited")
    before = check_spec(parse(text), registry)
    texts_parsed.clear()
    after = check_spec(parse(text.replace("$edited4 + 4", "$edited4 + foo")), registry)
    assert texts_parsed == ["$edited4 + foo * ($b.c || 0)"]
    assert [problem.code for problem in after if problem not in before] == ["expression-syntax"]


def test_checking_compiles_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise AssertionError("an expression was compiled")

    monkeypatch.setattr(Unit, "function", refused)
    assert check_spec(parse(pipeline("compiled")), registry) == []


def test_what_is_remembered_of_expressions_is_bounded() -> None:
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text.upper()

    memo = Memo(make, limit=1_000)
    for number in range(1_000):
        assert memo(f"$x{number}") == f"$X{number}"
    made.clear()
    assert memo("$x999") == "$X999"
    assert made == []
    for number in range(1_000):
        memo(f"$x{number}")
    assert len(made) > 900
