"""`${env:NAME}` in a user's file, which stands for the value of an environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.late_regex import late_regex

FROM_ENVIRONMENT = "${env:"
_VARIABLE = late_regex(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
MISSPELT_VARIABLE = late_regex(
    r"\$\{(?!(?-i:env:))(?:\s*env\s*[:.])?\s*([a-z_]\w*)\s*\}", re.ASCII | re.IGNORECASE
)
"""What users write by mistake for `${env:NAME}`."""


def fill_in(text: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with every `${env:NAME}` replaced, and the names that are not set."""
    names = _VARIABLE.findall(text)
    filled = _VARIABLE.sub(lambda match: environment.get(match[1], ""), text)
    return filled, [name for name in dict.fromkeys(names) if name not in environment]


def is_written_out(text: str) -> bool:
    """Whether the file itself holds the value, rather than the environment."""
    return (
        bool(text)
        and FROM_ENVIRONMENT not in text
        and not MISSPELT_VARIABLE.fullmatch(text.strip())
    )
