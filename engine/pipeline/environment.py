"""`${env:NAME}` in a user's file, which stands for the value of an environment variable.

`$${env:NAME}` stands for the text `${env:NAME}` itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.late_regex import late_regex

FROM_ENVIRONMENT = "${env:"
_VARIABLE = late_regex(r"(\$?)\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
MISSPELT_VARIABLE = late_regex(
    r"\$\{(?!(?-i:env:))(?:\s*env\s*[:.])?\s*([a-z_]\w*)\s*\}", re.ASCII | re.IGNORECASE
)
"""What users write by mistake for `${env:NAME}`."""


def fill_in(text: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with every `${env:NAME}` replaced, and the names that are not set."""
    unset: dict[str, None] = {}

    def value_of(found: re.Match[str]) -> str:
        if found[1]:
            return found[0].removeprefix("$")
        if found[2] not in environment:
            unset[found[2]] = None
        return environment.get(found[2], "")

    return _VARIABLE.sub(value_of, text), list(unset)


def variables_in(text: str) -> list[str]:
    """The names of the variables that `fill_in` reads."""
    return [name for dollar, name in _VARIABLE.findall(text) if not dollar]


def escaped(text: str) -> str:
    """The text to write so that `fill_in` gives `text`, whatever is in the environment."""
    return _VARIABLE.sub(r"$\g<0>", text)


def unescaped(text: str) -> str:
    """What `escaped` was made from; variables stay as they are written."""
    return _VARIABLE.sub(lambda found: found[0].removeprefix("$") if found[1] else found[0], text)


def is_malformed(text: str) -> bool:
    """Whether it begins to name a variable but does not end to."""
    return FROM_ENVIRONMENT in _VARIABLE.sub("", text)


def is_written_out(text: str) -> bool:
    """Whether the file itself holds the value, rather than the environment."""
    return (
        bool(text)
        and FROM_ENVIRONMENT not in text.replace(f"${FROM_ENVIRONMENT}", "")
        and not MISSPELT_VARIABLE.fullmatch(text.strip())
    )
