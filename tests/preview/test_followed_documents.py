"""`engine preview --doc` follows one document and all that comes from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Preview = Callable[..., Any]
CHAIN = """
snaps:
  read: {snap: FileReader, file: a.csv}
  parse: {snap: CSVParser}
  small: {snap: Filter, filter: parseInt($n) < 9}
  copy: {snap: Copy}
  map: {snap: Mapper, mappings: {$m: "$d == 'x' ? $no : $d"}}
  failed: {snap: Mapper, mappings: {$why: $reason}}
  sort: {snap: Sort, sort_paths: [$n]}
links:
  - read -> parse -> small -> copy
  - copy.output0 -> map
  - copy.output1 -> sort
  - map.error -> failed
"""


@pytest.fixture
def follow(preview: Preview) -> Preview:
    def run(document: str, *options: str) -> Any:
        Path("a.csv").write_text("n,d\n1,5\n9,5\n3,x\n4,2\n")
        return preview(CHAIN, "--doc", document, *options)

    return run


def test_a_document_is_followed_through_all_branches(follow: Preview) -> None:
    shown = follow("1")
    assert shown.items == {
        "parse.output": [{"n": "1", "d": "5"}],
        "small.output": [{"n": "1", "d": "5"}],
        "copy.output0": [{"n": "1", "d": "5"}],
        "copy.output1": [{"n": "1", "d": "5"}],
        "map.output": [{"m": "5"}],
    }
    assert shown.counts["sort"]["note"] == (
        "cannot be followed further: the snap holds all documents back until the last one has come"
    )


def test_a_dropped_document_is_shown_with_what_dropped_it(follow: Preview) -> None:
    shown = follow("2")
    assert shown.counts["small"]["dropped"] == 1
    assert shown.counts["small"]["dropped_by"] == "parseInt($n) < 9"
    assert set(shown.counts) == {"parse", "small"}


def test_a_failed_document_is_followed_to_the_error_view(follow: Preview) -> None:
    shown = follow("3")
    assert shown.items["map.error"][0]["original"] == {"n": "3", "d": "x"}
    assert shown.items["failed.output"][0]["why"].startswith("`$no` is not in the document")
    assert "map.output" not in shown.items


def test_the_numbers_are_those_of_the_view(follow: Preview) -> None:
    shown = follow("4")
    assert '{"label":"parse","view":"output","number":4,' in shown.out
    assert '{"label":"small","view":"output","number":3,' in shown.out


def test_a_document_of_any_snap_can_be_followed(follow: Preview) -> None:
    shown = follow("small:2")
    assert set(shown.counts) == {"small", "copy", "map", "sort", "failed"}
    assert shown.items["small.output"] == [{"n": "3", "d": "x"}]


def test_all_parts_of_a_split_document_are_followed(preview: Preview) -> None:
    shown = preview(
        """
snaps:
  make: {snap: JSONGenerator, documents: [{l: [{a: 1}]}, {l: [{a: 2}, {a: 3}]}]}
  split: {snap: JSONSplitter, json_path: $.l}
  large: {snap: Filter, filter: $a > 2}
links: [make -> split -> large]
""",
        "--doc",
        "2",
    )
    assert shown.items["split.output"] == [{"a": 2}, {"a": 3}]
    assert shown.items["large.output"] == [{"a": 3}]


def test_a_document_of_an_open_input_is_followed(preview: Preview) -> None:
    Path("a.json").write_text('[{"n": 1}, {"n": 2}, {"n": 3}]')
    pipeline = "snaps:\n  large: {snap: Filter, filter: $n > 2}\n"
    dropped = preview(pipeline, "--input", "a.json", "--doc", "2")
    assert dropped.counts["large"]["dropped_by"] == "$n > 2"
    assert dropped.items == {}
    kept = preview(pipeline, "--input", "a.json", "--doc", "3")
    assert kept.items == {"large.output": [{"n": 3}]}


def test_a_script_ends_the_trail_without_a_claim_that_it_dropped_the_document(
    preview: Preview,
) -> None:
    Path("s.py").write_text("def snaplogic_process(row):\n    return {'m': row['n']}\n")
    shown = preview(
        """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}]}
  run: {snap: RemotePythonScript, script: s.py}
links: [make -> run]
""",
        "--doc",
        "1",
    )
    assert shown.counts["run"]["dropped"] == 0
    assert shown.counts["run"]["note"] == (
        "cannot be followed further: the snap does not say which documents its output comes from"
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("5", "--doc: there is no document 5, as only 4 left 'parse'"),
        ("smal:1", "--doc: there is no snap 'smal' in this preview; did you mean 'small'?"),
        ("0", "--doc '0' must be the number of a document"),
        ("small:x", "--doc 'small:x' must be the number of a document"),
    ],
)
def test_a_document_that_is_not_there_is_a_mistake(
    document: str, message: str, follow: Preview
) -> None:
    shown = follow(document)
    assert shown.code == 2
    assert message in shown.err
