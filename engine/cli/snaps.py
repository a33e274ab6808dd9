"""`engine snaps`: list the installed snaps, or show everything about one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from engine.cli.pages import Page, folded, has_words, print_json
from engine.errors import ConfigurationError, UnusableSnapError
from engine.reference.examples import item_lines
from engine.reference.settings import SettingEntry, default_text, example_text
from engine.reference.snaps import SnapEntry, ViewEntry, snap_entry
from engine.registry import Registry, discover
from engine.registry.files import snake_case

_EVERY_SNAP = (
    "Every snap has the error view `error` and the keys `on_error`, `mode`, `open_input` and "
    "`open_output`."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="NAME",
        help="a snap, by its name here or in SnapLogic; or words to search for in names, "
        "categories and descriptions",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0 if there is such a snap; ConfigurationError if there is none."""
    registry = discover()
    words: Sequence[str] = arguments.words
    named = _named(" ".join(words), registry) if words else ""
    if named:
        found = [snap_entry(registry[named])]
    else:
        found = [each for each in _entries(registry) if _fits(words, each)]
        if not found:
            raise ConfigurationError("; ".join(registry.explain_unknown(" ".join(words))))
    if arguments.json:
        print_json(found)
    elif len(found) == 1 and words:
        _show(found[0])
    else:
        _list(found)
    return 0


def _named(name: str, registry: Registry) -> str:
    """The snap of that name, however it is spelt, or that SnapLogic calls so; else empty."""
    for known in registry:
        if folded(known) == folded(name):
            return known
    return registry.by_foreign_id().get(name, "")


def _entries(registry: Registry) -> list[SnapEntry]:
    """All snaps by name. One that cannot be used is a message on standard error."""
    found = []
    for name in registry:
        try:
            found.append(snap_entry(registry[name]))
        except UnusableSnapError as error:
            print(f"engine: {error}", file=sys.stderr)
    return sorted(found, key=lambda entry: entry.name.lower())


def _fits(words: Sequence[str], entry: SnapEntry) -> bool:
    return has_words(words, entry.name, entry.foreign, entry.category, entry.purpose)


def _list(found: Sequence[SnapEntry]) -> None:
    by_category = sorted(found, key=lambda entry: entry.category) if sys.stdout.isatty() else found
    Page().table([(entry.category, entry.name, entry.purpose) for entry in by_category])


def _show(entry: SnapEntry) -> None:
    page = Page()
    page.title(entry.name, f"{entry.category}, since {entry.since}".removesuffix(", since "))
    page.paragraph(entry.purpose)
    if entry.about:
        page.gap()
        page.paragraph(entry.about)
    page.gap()
    if entry.foreign:
        page.term("In SnapLogic", f"{entry.foreign} ({entry.foreign_id})", 0)
    page.term("In ultra tasks", f"no: it {entry.ultra}" if entry.ultra else "yes", 0)
    page.term("Behaviour", " ".join(entry.facts), 0)
    page.heading("Views")
    for view in entry.views:
        _show_view(page, view)
    page.heading("Settings")
    if not entry.settings:
        page.paragraph("It has no settings.", 2)
    for setting in entry.settings:
        _show_setting(page, setting)
    page.gap()
    page.paragraph(_EVERY_SNAP)
    if entry.examples:
        page.heading("Examples, to paste below 'snaps:'")
    for position, example in enumerate(entry.examples):
        if position:
            page.gap()
        page.paragraph(f"{example.title[:1].upper()}{example.title[1:]}:", 2)
        lines = example.yaml.splitlines()
        page.code([f"{snake_case(entry.name)}:", *(f"  {line}".rstrip() for line in lines)])
        page.gap()
        for line in item_lines(example):
            page.data(line, hanging=14)


def _show_view(page: Page, view: ViewEntry) -> None:
    verb = "takes" if view.side == "input" else "sends"
    page.term(view.name, f"{verb} {view.carries}; without a link: {view.unlinked}")


def _show_setting(page: Page, setting: SettingEntry, indent: int = 2) -> None:
    default = default_text(setting)
    given = f"default `{default}`" if default else "optional"
    page.term(setting.name, f"{setting.type}, {'required' if setting.required else given}", indent)
    page.paragraph(setting.help, indent + 2)
    if example := example_text(setting):
        page.paragraph(f"For example: `{example}`", indent + 2)
    if setting.rows:
        page.paragraph("A row has:", indent + 2)
    for row in setting.rows:
        _show_setting(page, row, indent + 4)
