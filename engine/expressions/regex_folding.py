"""Which characters a regex with the flag `i` treats as equal, by JavaScript's two rules.

Without the flag `u` two characters are equal if their capital letters are, but a letter beyond
ASCII never equals an ASCII letter (the Kelvin sign is not a `k`). With it, Unicode's simple case
folding decides.
"""

from __future__ import annotations

import functools

_LAST_UNIT = 0xFFFF
_LAST_CASED = 0x1E943


@functools.cache
def _families(unicode: bool) -> dict[str, str]:
    """Each character with case variants -> all of them."""
    fold = _simple_fold if unicode else _capital
    found: dict[str, str] = {}
    for character in map(chr, range((_LAST_CASED if unicode else _LAST_UNIT) + 1)):
        key = fold(character)
        found[key] = found.get(key, "") + character
    return {one: family for family in found.values() if len(family) > 1 for one in family}


def _capital(character: str) -> str:
    capital = character.upper()
    if len(capital) != 1 or capital > "\uffff" or (character > "\x7f" and capital <= "\x7f"):
        return character
    return capital


def _simple_fold(character: str) -> str:
    folded = character.casefold()
    if len(folded) == 1:
        return folded
    small = character.lower()
    return small if len(small) == 1 else character


def family(character: str, unicode: bool) -> str:
    """All characters equal to this one, itself included."""
    if character.isascii() and not character.isalpha():
        return character
    return _families(unicode).get(character, character)


@functools.cache
def cased(unicode: bool) -> str:
    """All characters that equal some other character."""
    return "".join(_families(unicode))
