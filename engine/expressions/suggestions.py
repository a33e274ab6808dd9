"""Similar names that the user might have meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

from engine.hints import Hint, Replacement

MAX_NAMES = 2_000
_REMEMBERED = 128


def nearest(
    name: str, names: Iterable[object], count: int = 1, cutoff: float = 0.6
) -> tuple[str, ...]:
    """Up to `count` of `names` that resemble `name`, best first; case matters little."""
    return _nearest(name, tuple(islice(names, MAX_NAMES)), count, cutoff)


@lru_cache(_REMEMBERED)
def _nearest(name: str, names: tuple[object, ...], count: int, cutoff: float) -> tuple[str, ...]:
    """Cached, because failing documents ask the same question repeatedly and comparing is slow."""
    from difflib import get_close_matches  # for the messages of mistakes only

    known: dict[str, str] = {}
    for candidate in names:
        if isinstance(candidate, str):
            known.setdefault(candidate.lower(), candidate)
    return tuple(known[match] for match in get_close_matches(name.lower(), known, count, cutoff))


def did_you_mean(name: str, names: Iterable[object]) -> str:
    """`did you mean ...?`, or nothing."""
    found = nearest(name, names, cutoff=0.65)
    return Hint(f"did you mean `{found[0]}`?", [Replacement(found[0], name)]) if found else ""
