"""What snaps look at in the document of a request, on its way to a script."""

from __future__ import annotations

import pytest

from engine.pipeline import parse
from engine.plan import compile_spec
from engine.registry import discover

SCRIPT = "  run: {snap: RemotePythonScript, source: 'snaplogic_process = id'}\n"
EVERYTHING = {"$"}


def seen(snaps: str, links: str = "") -> set[str]:
    """The paths, as they are written in expressions."""
    text = f"snaps:\n{SCRIPT}{snaps}\nlinks: [{links}]"
    plan = compile_spec(parse(text, "flow.yaml"), discover())
    return {".".join(("$", *path)) for path in plan.seen}


def test_a_script_alone_decodes_everything_itself() -> None:
    assert seen("") == set()


def test_conditions_and_expressions_see_the_paths_that_they_read() -> None:
    snaps = """
  keep: {snap: Filter, filter: $content.token == 'x' && $method.length > 1}
  shape: {snap: Mapper, mappings: {$image: $content.params.image, $n: $content.params.n + 1}}"""
    links = "keep -> shape -> run"
    assert seen(snaps, links) == {"$.content.token", "$.method", "$.content.params.n"}


def test_a_moved_value_is_followed_to_where_it_is_read() -> None:
    snaps = """
  one: {snap: Mapper, mappings: {$a.b: $content.params}}
  two: {snap: Mapper, mappings: {$c: $a, $d: $a.b.list.length}}
  keep: {snap: Filter, filter: '$c.b.image[0] > 1'}"""
    links = "one -> two -> keep -> run"
    assert seen(snaps, links) == {"$.content.params.list", "$.content.params.image"}


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("$x: $content", set()),
        ("$x: $content.a, $x.b: 1", {"$.content.a.b"}),
        ("$x.b: 1, $x: $content.a", {"$.content.a.b"}),
        ("$x.b: $content.a, $x: $content.c", {"$.content.a", "$.content.c.b"}),
        ("$x: $content.a.length", {"$.content.a"}),
        ("$x: '$content.a[0]'", {"$.content.a"}),
        ("$x: \"$content['a b']\"", set()),
        ("$x: $content.a == null", {"$.content.a"}),
        ("$x: \"jsonPath($, '$..a')\"", EVERYTHING),
        ("\"$['x'][0]\": $content.a", {"$.content.a", "$.content.rest"}),
        ("$x: $.keys()", EVERYTHING),
    ],
)
def test_a_row_of_a_mapper_sees_everything_that_it_does_not_just_move(
    mapping: str, expected: set[str]
) -> None:
    snaps = f"  shape: {{snap: Mapper, mappings: {{$rest: $content.rest, {mapping}}}}}"
    found = seen(snaps, "shape -> run")
    assert ("$" in found) if expected is EVERYTHING else found == expected


def test_a_field_that_a_mapper_adds_to_a_document_is_seen() -> None:
    snaps = "  shape: {snap: Mapper, pass_through: true, mappings: {$content.x: 1, $y: $content.a}}"
    assert seen(snaps, "shape -> run") == {"$.content.x", "$.y"}


def test_every_branch_counts() -> None:
    snaps = """
  both: {snap: Copy}
  one: {snap: Filter, filter: $content.a > 1}
  two: {snap: Filter, filter: $content.b > 1}
  join: {snap: Union}"""
    links = "both -> one -> join, both -> two -> join, join -> run"
    assert seen(snaps, links) == {"$.content.a", "$.content.b"}


@pytest.mark.parametrize(
    ("snaps", "links"),
    [
        ("  keep: {snap: Filter, filter: $a > 1}", ""),
        (
            "  both: {snap: Copy}\n  keep: {snap: Filter, filter: $a > 1}",
            "both -> run, both -> keep",
        ),
        ("  text: {snap: JSONFormatter}\n  read: {snap: JSONParser}", "text -> read -> run"),
        ("  get: {snap: RESTGet, service_url: 'http://localhost'}", "get -> run"),
        ("  shape: {snap: Mapper, mappings: {$x: 1}}", "shape -> run"),
    ],
)
def test_everything_is_seen_where_documents_go_elsewhere_or_nothing_reaches_a_script(
    snaps: str, links: str
) -> None:
    assert "$" in seen(snaps, links)
