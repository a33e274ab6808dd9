"""Regexes that are compiled when they are used for the first time.

Compiling takes longer than importing the module around it, and most regexes serve messages, hints
and rare values only. Lexers and readers, which every run needs, compile theirs at once.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def late_regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """`re.compile(pattern, flags)`, but later."""
    return cast("re.Pattern[AnyStr]", _LateRegex(pattern, flags))


class _LateRegex:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """A method of the regex, which from then on is an attribute like any other."""
        method = self.__dict__[name] = getattr(re.compile(*self._given), name)
        return method
