"""Similar names that the user might have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_NAMES = 2_000


def nearest(name: str, names: Iterable[object], count: int = 1) -> list[str]:
    """Up to `count` of `names` that resemble `name`, best first; case matters little."""
    known: dict[str, str] = {}
    for candidate in names:
        if len(known) >= _MOST_NAMES:
            break
        if isinstance(candidate, str):
            known.setdefault(candidate.lower(), candidate)
    return [known[match] for match in get_close_matches(name.lower(), known, count, 0.6)]


def did_you_mean(name: str, names: Iterable[object]) -> str:
    """`did you mean ...?`, or nothing."""
    found = nearest(name, names)
    return f"did you mean `{found[0]}`?" if found else ""
