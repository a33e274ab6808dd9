"""The committed reference pages match the code."""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

import snaps as library
from engine.expressions.functions import METHODS
from engine.reference import expressions, snaps
from engine.reference.__main__ import PAGES, outdated, write
from engine.reference.settings import type_text
from engine.registry import snaps_of
from engine.sdk import Evaluated, Expression
from engine.sdk import Path as PathSetting
from engine.sdk.facts import category_of
from engine.sdk.settings import settings_of
from engine.sdk.yaml_text import block, inline

REPOSITORY = Path(__file__).parents[2]


def test_the_committed_pages_are_in_step() -> None:
    assert outdated(REPOSITORY) == []


def test_a_changed_page_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    assert outdated(tmp_path) == []
    page = tmp_path / next(iter(PAGES))
    page.write_text(page.read_text(encoding="utf-8") + "more", encoding="utf-8")
    assert outdated(tmp_path) == [next(iter(PAGES))]


def test_every_method_is_on_the_page() -> None:
    page = expressions.page()
    assert [name for name in METHODS if f".{name}(" not in page] == []


def test_every_builtin_snap_is_on_the_page_with_its_settings_and_examples() -> None:
    page = snaps.page()
    for snap in snaps_of(library):
        section = page.split(f"\n## {snap.__name__}\n")[1].split("\n## ")[0]
        assert snaps.purpose(snap) in section
        assert f"| {category_of(snap)} | {snap.since} | " in section
        assert cleandoc(snap.about) in section
        if snap.foreign:
            assert f"{snap.foreign.name} (`{snap.foreign.class_id}`)" in section
        for fact in settings_of(snap.settings_class).values():
            assert f"| `{fact.name}` | " in section
            assert fact.help.replace("|", "\\|") in section
        for example in snap.examples:
            assert f"Example: {example.title}." in section


def test_the_page_has_the_builtin_snaps_only() -> None:
    assert set(snaps.builtin_snaps()) == set(snaps_of(library))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Evaluated[int], "integer or `=` expression"),
        (dict[PathSetting, Expression] | None, "map of path to expression"),
        (tuple[str, ...], "list of strings"),
        (list[dict[str, Any]], "list of maps"),
        (Literal["a", "b", "c"], "`a`, `b` or `c`"),
    ],
)
def test_types_are_said_in_words(kind: object, words: str) -> None:
    assert type_text(kind) == words


@pytest.mark.parametrize("text", ["$a + ' ' + $b", "'x'", "a: b", "#", "two\nlines\n", "=x", ""])
def test_examples_are_yaml_that_reads_back(text: str) -> None:
    value = {"list": [{"key": text}], text: 1}
    assert yaml.safe_load(block(value)) == value
    assert yaml.safe_load(inline(value)) == value
