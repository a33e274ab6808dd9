"""Every link between the pages of the repository leads to a file and a heading that exist."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
LINK = re.compile(r"(?<!`)\]\(([^()\s]+)\)")


def prose(page: Path) -> str:
    """The text of a page without its blocks of code and code in a line."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]+`", "code", text)


def links(page: Path) -> list[str]:
    found = LINK.findall(prose(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@cache
def anchors(page: Path) -> set[str]:
    """The ids of the headings of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    found: Counter[str] = Counter()
    ids = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).strip().lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        ids.add(f"{name}-{found[name]}" if found[name] else name)
        found[name] += 1
    return ids


def broken(page: Path) -> list[str]:
    wrong = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_to_a_missing_page_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Two words\n## Code `x` *(ours)*\n"
        "[a](#two-words) [b](#code-x-ours) [c](page.md#two-words)\n"
        "[d](#absent) [e](absent.md) [f](https://example.org)\n```\n[g](absent.md)\n```\n"
    )
    assert broken(page) == ["#absent", "absent.md"]


def guide_pages() -> set[str]:
    return {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}


def test_the_index_links_every_page() -> None:
    listed = {link.partition("#")[0] for link in links(DOCS / "index.md")}
    assert guide_pages() - listed == set(), "add the page to docs/index.md"


def test_the_navigation_of_the_site_lists_every_page() -> None:
    listed = re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8"))
    assert guide_pages() - set(listed) == set(), "add the page to nav in zensical.toml"
    assert sorted(listed) == sorted({*guide_pages(), "index.md"})
