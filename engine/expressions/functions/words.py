"""Case styles of texts: lodash's rules for where words begin."""

from __future__ import annotations

import unicodedata

import regex

from engine.expressions.functions.declare import Example
from engine.expressions.functions.strings import TEXTS

__all__ = ["TEXTS", "words"]
_APOSTROPHES = regex.compile("['\u2019]")
_WORDS = regex.compile(
    r"\p{Lu}?\p{Ll}+|\p{Lu}+(?=\p{Lu}\p{Ll}|[^\p{L}]|$)|\p{Lu}+|\d+|[\p{Lo}\p{Lt}\p{Lm}]+"
)


def words(text: str) -> list[str]:
    """`HTMLParser 2go` -> HTML, Parser, 2, go; accents are dropped."""
    return list(_WORDS.findall(_APOSTROPHES.sub("", _plain(text))))


def _plain(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


@TEXTS.method(
    "camelCase",
    "Words joined, each but the first with a capital.",
    Example("'sim_world'.camelCase()", "simWorld"),
    Example("'--foo-bar--'.camelCase()", "fooBar"),
)
def camel_case(text: str) -> str:
    return lower_first("".join(capitalize(word) for word in words(text)))


@TEXTS.method(
    "kebabCase",
    "Words in small letters with hyphens.",
    Example("'HelloWorld'.kebabCase()", "hello-world"),
)
def kebab_case(text: str) -> str:
    return "-".join(word.lower() for word in words(text))


@TEXTS.method(
    "snakeCase",
    "Words in small letters with underscores.",
    Example("'LevelCritical'.snakeCase()", "level_critical"),
)
def snake_case(text: str) -> str:
    return "_".join(word.lower() for word in words(text))


@TEXTS.method(
    "capitalize",
    "The first letter large, the others small.",
    Example("'JANE'.capitalize()", "Jane"),
)
def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:].lower()


@TEXTS.method("lowerFirst", "The first letter small.", Example("'Fred'.lowerFirst()", "fred"))
def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


@TEXTS.method("upperFirst", "The first letter large.", Example("'fred'.upperFirst()", "Fred"))
def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
