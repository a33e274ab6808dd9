"""The formatter: indentation and spaces change; comments, quotes and meaning do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.format import FormatRefusedError, formatted

ROOT = Path(__file__).parents[2]

CASES = {
    "levels are indented by two spaces": (
        "snaps:\n    a:\n        snap: Mapper\n        mappings:\n                $x: $y\n",
        "snaps:\n  a:\n    snap: Mapper\n    mappings:\n      $x: $y\n",
    ),
    "lists are indented further than their key": (
        "links:\n- a -> b\n-   b -> c\n",
        "links:\n  - a -> b\n  - b -> c\n",
    ),
    "maps in lists keep their keys below each other": (
        "rows:\n-   a: 1\n    b:\n    - 2\n-   - x\n    - y\n",
        "rows:\n  - a: 1\n    b:\n      - 2\n  - - x\n    - y\n",
    ),
    "comments move with what is below them": (
        "# top\nsnaps:\n    # of a\n    a: {snap: Copy}   # here\n    # end\n\n# of b\nb: []\n",
        "# top\nsnaps:\n  # of a\n  a: {snap: Copy}   # here\n  # end\n\n# of b\nb: []\n",
    ),
    "comments at the end of a deep block stay in it": (
        "snaps:\n    a:\n        snap: Copy\n        # about a\n    b: {snap: Copy}\n",
        "snaps:\n  a:\n    snap: Copy\n    # about a\n  b: {snap: Copy}\n",
    ),
    "blocks of text move as a whole": (
        "a:\n    text: |\n        one\n          # two\n\n        three  \n    b: 1\n",
        "a:\n  text: |\n      one\n        # two\n\n      three  \n  b: 1\n",
    ),
    "values over several lines move as a whole": (
        "a:\n    b: $x +\n        $y\n    c: {d: 1,\n        e: 2}\n",
        "a:\n  b: $x +\n      $y\n  c: {d: 1,\n      e: 2}\n",
    ),
    "empty lines within a value stay": (
        "a:\n    b: one\n        two\n\n\n        three\n    c: 1\n",
        "a:\n  b: one\n      two\n\n\n      three\n  c: 1\n",
    ),
    "spaces in brackets": (
        "a: {  snap:   Filter,filter:  $x==1 ,  l: [ 1,2,  {a: b } ] }\n",
        "a: {snap: Filter, filter: $x==1, l: [1, 2, {a: b}]}\n",
    ),
    "spaces before values": (
        "pipeline:    Orders\nsnaps:\n  a: {snap: Copy}\n",
        "pipeline: Orders\nsnaps:\n  a: {snap: Copy}\n",
    ),
    "values that are aligned": ("a:   1\nbbb: 2\n", "a:   1\nbbb: 2\n"),
    "arrows of links": (
        "links:\n  - a->b  ->c\n  - 'd->e'\n",
        "links:\n  - a -> b -> c\n  - 'd->e'\n",
    ),
    "empty lines": ("\n\na: 1\n\n\n\nb: 2   \n\n\n", "a: 1\n\nb: 2\n"),
    "the last line break": ("a: 1", "a: 1\n"),
    "line breaks of Windows": ("a:\r\n    b: 1\r\n", "a:\r\n  b: 1\r\n"),
    "quotes and escapes": ("a: \"x\\u00e9\"\nb: 'it''s'\n", "a: \"x\\u00e9\"\nb: 'it''s'\n"),
    "anchors and merged keys": (
        "a: &x\n    b: 1\nc:\n    <<: *x\n    d: *x\n",
        "a: &x\n  b: 1\nc:\n  <<: *x\n  d: *x\n",
    ),
    "only comments": ("# nothing\n\n\n# here", "# nothing\n\n\n# here"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_text_is_formatted(text: str, expected: str) -> None:
    assert formatted(text, "file.yaml") == expected
    assert formatted(expected, "file.yaml") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", "file.yaml:1:4: .*correct this before formatting the file"),
        ("a: 1\na: 2\n", "file.yaml:2:1: .*correct this before formatting the file"),
        ('{"a": 1}', "file.yaml is not written as YAML in lines"),
        ("\x00", "file.yaml:1:1: "),
    ],
)
def test_a_file_that_cannot_be_read_completely_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatRefusedError, match=message):
        formatted(text, "file.yaml")


@pytest.mark.parametrize(
    "path", [*ROOT.glob("pipelines/*.yaml"), *ROOT.glob("tasks/*.yaml")], ids=lambda path: path.name
)
def test_the_files_of_the_repository_are_formatted(path: Path) -> None:
    text = path.read_text()
    assert formatted(text, path.name) == text
