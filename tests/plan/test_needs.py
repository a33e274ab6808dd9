"""Which fields of a parser's documents are needed, seen through pipeline files."""

from __future__ import annotations

import pytest

from engine.pipeline import parse
from engine.plan import compile_spec
from engine.registry import discover

HEAD = """
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $a > 1 && $b.c == 2}
"""


def needed(rest: str, links: str) -> frozenset[str] | None:
    spec = parse(f"{HEAD}{rest}\nlinks: [read -> parse -> keep, {links}]", "flow.yaml")
    return compile_spec(spec, discover()).snap("parse").needed


def test_the_fields_that_a_filter_and_a_mapper_read_are_enough() -> None:
    shape = "  shape: {snap: Mapper, mappings: {$x: $d + $b.e}}"
    assert needed(shape, "keep -> shape") == frozenset("abd")


def test_a_mapper_of_constants_needs_no_fields() -> None:
    assert needed("  shape: {snap: Mapper, mappings: {$x: 1}}", "keep -> shape") == frozenset("ab")


def test_the_branches_of_a_copy_are_added_up() -> None:
    branches = """
  both: {snap: Copy}
  one: {snap: Mapper, mappings: {$x: $d}}
  two: {snap: Mapper, mappings: {$x: $e}}"""
    assert needed(branches, "keep -> both -> one, both -> two") == frozenset("abde")


@pytest.mark.parametrize(
    ("rest", "links"),
    [
        ("  join: {snap: Union}", "keep -> join"),
        ("  text: {snap: JSONFormatter}", "keep -> text"),
        ("  shape: {snap: Mapper, pass_through: true}", "keep -> shape"),
        ("  shape: {snap: Mapper, mapping_root: '$d', mappings: {$x: $a}}", "keep -> shape"),
        ("  shape: {snap: Mapper, mappings: {$x: $.keys()}}", "keep -> shape"),
        ("  shape: {snap: Mapper, mappings: {$x: eval(\"'$z'\")}}", "keep -> shape"),
        ('  shape: {snap: Mapper, mappings: {"$x[($d)]": $a}}', "keep -> shape"),
        ("  shape: {snap: Mapper, mappings: {$x: $a}, on_error: route}", "keep -> shape"),
        (
            "  shape: {snap: Mapper, mappings: {$x: $a}}\n  dead: {snap: Union}",
            "keep -> shape, keep.error -> dead",
        ),
        ("  run: {snap: RemotePythonScript, source: 'snaplogic_process = id'}", "keep -> run"),
    ],
)
def test_all_fields_are_needed_where_a_complete_document_may_become_visible(
    rest: str, links: str
) -> None:
    assert needed(rest, links) is None
