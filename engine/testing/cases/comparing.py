"""Compare documents with expected ones, and show the differences document by document."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.sdk import to_json

SHOWN_LINES = 20
"""The most lines of a difference that are shown."""

Match = Callable[[Any, Any], bool]


def same(expected: Any, actual: Any) -> bool:
    """Whether two JSON values are equal: numbers by value, and `true` is not 1."""
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys()
            and all(same(value, actual[key]) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(map(same, expected, actual))
        )
    if _is_number(expected) and _is_number(actual):
        return Decimal(str(expected)) == Decimal(str(actual))
    return type(expected) is type(actual) and bool(expected == actual)


def includes(expected: Any, actual: Any) -> bool:
    """Whether `actual` has at least the fields of `expected`, at any depth; lists are complete."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and includes(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(map(includes, expected, actual))
        )
    return same(expected, actual)


def compare_all(
    expected: Sequence[Any], actual: Sequence[Any], match: Match, *, unordered: bool
) -> list[str]:
    """The differences if these are to be the same documents; empty if they are."""
    if unordered:
        pairs = _paired(expected, actual, match)
        if len(pairs) == len(expected) == len(actual):
            return []
        matched = set(pairs.values())
        missing = [each for place, each in enumerate(expected) if place not in pairs]
        extra = [each for place, each in enumerate(actual) if place not in matched]
        if len(missing) == len(extra) == 1:
            return _difference_of(missing[0], extra[0], "one document differs", match)
        return [_counts(expected, actual), *_listed("-", missing), *_listed("+", extra)]
    if len(expected) == len(actual):
        wrong = [
            place
            for place, (one, other) in enumerate(zip(expected, actual, strict=True))
            if not match(one, other)
        ]
        lines: list[str] = []
        for place in wrong:
            title = f"document {place + 1} of {len(actual)} differs"
            lines += _difference_of(expected[place], actual[place], title, match)
        return lines
    return [_counts(expected, actual), *_aligned(expected, actual, match)]


def find_all(
    expected: Sequence[Any], actual: Sequence[Any], match: Match, *, unordered: bool
) -> list[str]:
    """The differences if each expected document is to be among the others, in order or not."""
    if unordered:
        found = _paired(expected, actual, match)
        missing = [each for place, each in enumerate(expected) if place not in found]
    else:
        rest = iter(actual)
        missing = [each for each in expected if not any(match(each, one) for one in rest)]
        missing = missing[:1]  # what follows the first is looked for after its place
    if not missing:
        return []
    lines: list[str] = []
    for each in missing:
        near = _nearest(each, actual)
        if near is None:
            lines += ["there is no such document", *_listed("-", [each])]
        else:
            title = f"there is no such document; document {near + 1} of {len(actual)} is nearest"
            if not unordered and match(each, actual[near]):
                lines += [
                    "there is no such document after the one before it",
                    *_listed("-", [each]),
                ]
                continue
            lines += _difference_of(each, actual[near], title, match)
    return lines


def text_difference(expected: str, actual: str) -> list[str]:
    """A unified difference; line ends are shown where only they differ."""
    before, after = expected.splitlines(), actual.splitlines()
    if before == after:
        before, after = ([ascii(line) for line in t.splitlines(True)] for t in (expected, actual))
    return _unified(before, after)


def _unified(before: Sequence[str], after: Sequence[str]) -> list[str]:
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    return [line for line in lines if not line.startswith("@@")]


def cut(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= SHOWN_LINES:
        return list(lines)
    return [*lines[: SHOWN_LINES - 1], f"… {len(lines) - SHOWN_LINES + 1} more lines"]


def _paired(expected: Sequence[Any], actual: Sequence[Any], match: Match) -> dict[int, int]:
    """A document for each expected one, as far as there is one (augmenting paths)."""
    owner: dict[int, int] = {}

    def assign(place: int, tried: set[int]) -> bool:
        for candidate, document in enumerate(actual):
            if candidate in tried or not match(expected[place], document):
                continue
            tried.add(candidate)
            if candidate not in owner or assign(owner[candidate], tried):
                owner[candidate] = place
                return True
        return False

    for place in range(len(expected)):
        assign(place, set())
    return {place: candidate for candidate, place in owner.items()}


def _aligned(expected: Sequence[Any], actual: Sequence[Any], match: Match) -> Iterator[str]:
    """The documents that are missing or too many, where the rest is the same."""
    before = [_canonical(each) for each in expected]
    after = [_canonical(each) for each in actual]
    for place, document in enumerate(actual):  # what matches partly counts as the same
        for wanted, text in zip(expected, before, strict=True):
            if match(wanted, document):
                after[place] = text
                break
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            yield from _listed("-", expected[start:end])
            yield from _listed("+", actual[first:last])


def _difference_of(expected: Any, actual: Any, title: str, match: Match) -> list[str]:
    """A title with the paths that differ, and a unified difference of the two as JSON."""
    if match is includes:
        actual = _like(expected, actual)
    paths = list(differing_paths(expected, actual, "$"))
    named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    before, after = _pretty(expected), _pretty(_in_order(expected, actual))
    return [f"{title} at {named}", *_unified(before, after)]


def _like(expected: Any, actual: Any) -> Any:
    """The part of a document that was asked for."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: _like(expected[key], actual[key]) for key in expected if key in actual}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return list(map(_like, expected, actual))
    return actual


def _in_order(expected: Any, actual: Any) -> Any:
    """The same with its fields in the order of the expected ones, as far as they are the same."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = [key for key in expected if key in actual]
        keys += [key for key in actual if key not in expected]
        return {key: _in_order(expected.get(key), actual[key]) for key in keys}
    if isinstance(expected, list) and isinstance(actual, list):
        padded = [*expected, *[None] * len(actual)]
        return [_in_order(one, other) for one, other in zip(padded, actual, strict=False)]
    return expected if same(expected, actual) else actual


def differing_paths(expected: Any, actual: Any, path: str) -> Iterator[str]:
    """Where two values differ."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in dict.fromkeys([*expected, *actual]):
            inner = f"{path}.{key}" if key.isidentifier() else f"{path}['{key}']"
            if key not in expected or key not in actual:
                yield inner
            else:
                yield from differing_paths(expected[key], actual[key], inner)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for place, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differing_paths(one, other, f"{path}[{place}]")
    elif not same(expected, actual):
        yield path


def _nearest(expected: Any, actual: Sequence[Any]) -> int | None:
    """The document with the fewest differences, if it has anything in common."""
    scores = [
        len(list(differing_paths(expected, _like(expected, document), "$"))) for document in actual
    ]
    best = min(range(len(scores)), key=scores.__getitem__, default=None)
    fields = len(expected) if isinstance(expected, Mapping) else 1
    return best if best is not None and scores[best] < max(fields, 2) else None


def _counts(expected: Sequence[Any], actual: Sequence[Any]) -> str:
    return f"expected {counted(len(expected))}, got {len(actual)}"


def counted(number: int) -> str:
    return "1 document" if number == 1 else f"{number} documents"


def _listed(sign: str, documents: Sequence[Any]) -> list[str]:
    return [f"{sign} {_canonical(each)}" for each in documents]


def _canonical(value: Any) -> str:
    return to_json(_sorted(value), "the document").decode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return list(map(_sorted, value)) if isinstance(value, list) else value


def _pretty(value: Any) -> list[str]:
    return to_json(value, "the document", pretty=True).decode().replace('" : ', '": ').splitlines()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
