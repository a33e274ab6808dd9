"""The committed reference pages are what the code says."""

from __future__ import annotations

from pathlib import Path

from engine.expressions.functions import METHODS
from engine.reference import expressions
from engine.reference.__main__ import PAGES, out_of_step, write

REPOSITORY = Path(__file__).parents[2]


def test_the_committed_pages_are_in_step() -> None:
    assert out_of_step(REPOSITORY) == []


def test_a_changed_page_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    assert out_of_step(tmp_path) == []
    page = tmp_path / next(iter(PAGES))
    page.write_text(page.read_text(encoding="utf-8") + "more", encoding="utf-8")
    assert out_of_step(tmp_path) == [next(iter(PAGES))]


def test_every_method_is_on_the_page() -> None:
    page = expressions.page()
    assert [name for name in METHODS if f".{name}(" not in page] == []
