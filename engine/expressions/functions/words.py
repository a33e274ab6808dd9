"""Case styles of strings: lodash's rules for where words begin."""

from __future__ import annotations

import re
import unicodedata

from engine.expressions.functions.declare import Example
from engine.expressions.functions.strings import TEXTS
from engine.late_regex import late_regex

__all__ = ["TEXTS", "words"]
_APOSTROPHES = re.compile("['\u2019]")

# Letters of Latin-1 and Latin Extended-A that are not a base letter with an accent.
_LETTERS = str.maketrans(
    {
        "\u00c6": "Ae",
        "\u00e6": "ae",
        "\u00d0": "D",
        "\u00f0": "d",
        "\u00d8": "O",
        "\u00f8": "o",
        "\u00de": "Th",
        "\u00fe": "th",
        "\u00df": "ss",
        "\u0110": "D",
        "\u0111": "d",
        "\u0126": "H",
        "\u0127": "h",
        "\u0131": "i",
        "\u0132": "IJ",
        "\u0133": "ij",
        "\u0138": "k",
        "\u013f": "L",
        "\u0140": "l",
        "\u0141": "L",
        "\u0142": "l",
        "\u0149": "'n",
        "\u014a": "N",
        "\u014b": "n",
        "\u0152": "Oe",
        "\u0153": "oe",
        "\u0166": "T",
        "\u0167": "t",
        "\u017f": "s",
    }
)
_ACCENTED = re.compile("[\u00c0-\u017f]")
_MARKS = re.compile("[\u0300-\u036f\ufe20-\ufe2f\u20d0-\u20ff]")

_BREAK = (
    r"\x00-/:-@\[-`{-\xbf\xd7\xf7\u2000-\u206f"
    r" \t\x0b\f\xa0\ufeff\n\r\u2028\u2029\u1680\u180e\u202f\u205f\u3000"
)
_UPPER = "A-Z\xc0-\xd6\xd8-\xde"
_LOWER = "a-z\xdf-\xf6\xf8-\xff"
_DINGBAT = "\u2700-\u27bf"
_OTHER = f"[^{_BREAK}0-9{_UPPER}{_LOWER}{_DINGBAT}\ud800-\udfff\U00010000-\U0010ffff]"
_CAPITAL = f"(?:[{_UPPER}]|{_OTHER})"
_SMALL = f"(?:[{_LOWER}]|{_OTHER})"
_TONE = "(?:[\u0300-\u036f\ufe20-\ufe2f\u20d0-\u20ff]|[\U0001f3fb-\U0001f3ff])"
_PICTURE_TAIL = f"[\ufe0e\ufe0f]?{_TONE}?"
_PICTURE = f"(?:[{_DINGBAT}]|[\U0001f1e6-\U0001f1ff]{{2}}|[\U00010000-\U0010ffff])"
_JOINED_PICTURE = "(?:\u200d(?:[\U0001f1e6-\U0001f1ff]{2}|[^\ud800-\udfff])" + _PICTURE_TAIL + ")*"
_WORDS = late_regex(
    "|".join(
        (
            f"[{_UPPER}]?[{_LOWER}]+(?=[{_BREAK}{_UPPER}]|\\Z)",
            f"{_CAPITAL}+(?=[{_BREAK}]|[{_UPPER}]{_SMALL}|\\Z)",
            f"[{_UPPER}]?{_SMALL}+",
            f"[{_UPPER}]+",
            r"[0-9]*(?:1ST|2ND|3RD|(?![123])[0-9]TH)(?=(?![A-Za-z0-9_])|[a-z_])",
            r"[0-9]*(?:1st|2nd|3rd|(?![123])[0-9]th)(?=(?![A-Za-z0-9_])|[A-Z_])",
            "[0-9]+",
            _PICTURE + _PICTURE_TAIL + _JOINED_PICTURE,
        )
    )
)


def words(text: str) -> list[str]:
    """`HTMLParser 2go` -> HTML, Parser, 2, go; accents are dropped, emoji are words."""
    return [found[0] for found in _WORDS.finditer(_APOSTROPHES.sub("", _plain(text)))]


def _plain(text: str) -> str:
    """The text without accents, and with Latin letters as those of ASCII."""
    if text.isascii():
        return text
    return _MARKS.sub("", _ACCENTED.sub(_base_letter, text.translate(_LETTERS)))


def _base_letter(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFD", found[0])


@TEXTS.method(
    "camelCase",
    "The words joined, each but the first capitalised.",
    Example("'sim_world'.camelCase()", "simWorld"),
    Example("'--foo-bar--'.camelCase()", "fooBar"),
)
def camel_case(text: str) -> str:
    return lower_first("".join(capitalize(word) for word in words(text)))


@TEXTS.method(
    "kebabCase",
    "The words in lower case, joined by hyphens.",
    Example("'HelloWorld'.kebabCase()", "hello-world"),
)
def kebab_case(text: str) -> str:
    return "-".join(word.lower() for word in words(text))


@TEXTS.method(
    "snakeCase",
    "The words in lower case, joined by underscores.",
    Example("'LevelCritical'.snakeCase()", "level_critical"),
)
def snake_case(text: str) -> str:
    return "_".join(word.lower() for word in words(text))


@TEXTS.method(
    "capitalize",
    "The string with the first letter in upper case, the others in lower case.",
    Example("'JANE'.capitalize()", "Jane"),
)
def capitalize(text: str) -> str:
    return upper_first(text.lower())


@TEXTS.method(
    "lowerFirst",
    "The string with its first letter in lower case.",
    Example("'Fred'.lowerFirst()", "fred"),
)
def lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


@TEXTS.method(
    "upperFirst",
    "The string with its first letter in upper case.",
    Example("'fred'.upperFirst()", "Fred"),
)
def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
