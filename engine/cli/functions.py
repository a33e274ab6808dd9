"""`engine functions`: list the functions of expressions, or show everything about one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from engine.cli.pages import Page, folded, has_words, print_json
from engine.errors import ConfigurationError
from engine.reference.expressions import FunctionEntry, function_entries, result_comment
from engine.sdk.settings import nearest_hint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME",
        help="a function or method (trim, Math.round, text.trim); or words to search for in names, "
        "families and descriptions",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0 if there is such a function; ConfigurationError if there is none."""
    words: Sequence[str] = arguments.words
    entries = list(function_entries())
    named = [entry for entry in entries if words and _is_named(" ".join(words), entry)]
    found = named or [entry for entry in entries if _fits(words, entry)]
    if not found:
        raise ConfigurationError(_unknown(" ".join(words), entries))
    if arguments.json:
        print_json(found)
    elif named or (len(found) == 1 and words):
        _show(found)
    else:
        Page().table([(entry.family, entry.signature, entry.help) for entry in found])
    return 0


def _is_named(given: str, entry: FunctionEntry) -> bool:
    """Whether it is the name, with or without what stands before the dot."""
    name = folded(given.partition("(")[0])
    return name in (folded(entry.name), folded(_short(entry)))


def _short(entry: FunctionEntry) -> str:
    return entry.name.rpartition(".")[2]


def _fits(words: Sequence[str], entry: FunctionEntry) -> bool:
    return has_words(words, entry.name, entry.family, entry.help)


def _unknown(given: str, entries: Sequence[FunctionEntry]) -> str:
    names = {_short(entry) for entry in entries} | {entry.name for entry in entries}
    hint = nearest_hint(given, sorted(names)) or "'engine functions' lists all"
    return f"there is no function called {given!r}; {hint}"


def _show(found: Sequence[FunctionEntry]) -> None:
    page = Page()
    for position, entry in enumerate(found):
        if position:
            page.gap()
        page.title(entry.signature, entry.family)
        page.paragraph(entry.help)
        page.gap()
        for example in entry.examples:
            page.example(example.text, result_comment(example))
