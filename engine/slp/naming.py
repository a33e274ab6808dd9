"""Readable names in snake_case for labels, and labels that lead back to the same names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from engine.registry.files import snake_case

MAX_LENGTH = 60
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LETTERS_THAT_STAY = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})


def name_of(label: str, fallback: str = "snap") -> str:
    """`Read Leads CSV` -> `read_leads_csv`; the fallback for a label without Latin letters."""
    text = label if re.search(r"\s", label) else snake_case(label)
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS_THAT_STAY))
    ascii_text = plain.encode("ascii", "ignore").decode()
    words = _SEPARATORS.sub("_", re.sub(r"['’]", "", ascii_text)).strip("_")
    if len(words) > MAX_LENGTH:
        words = words[: MAX_LENGTH + 1].rpartition("_")[0] or words[:MAX_LENGTH]
    if not words or words[0].isdigit():
        words = f"{fallback}_{words}".rstrip("_")
    return words


def unique_names(wanted: Iterable[str]) -> list[str]:
    """The names in order; the second `mapper` becomes `mapper_2`."""
    numbers: dict[str, int] = {}  # of every name that is taken: the last number tried after it
    found = []
    for name in wanted:
        unique = name
        while unique in numbers:
            numbers[name] += 1
            unique = f"{name}_{numbers[name]}"
        numbers[unique] = 1
        found.append(unique)
    return found


def label_of(name: str) -> str:
    """A label for a name; `name_of` leads back to it."""
    return " ".join(word.capitalize() for word in name.split("_"))


def is_told_by(name: str, label: str) -> bool:
    """Whether the name says all of the label but its capitals and separators."""
    return re.sub(r"[\W_]", "", label).lower() == name.replace("_", "")
