"""From a place in a file to the key or value there, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.pipeline import parse
from engine.pipeline.cursor import Spot, spot_at
from engine.pipeline.links import LinkPart, link_part_at
from engine.pipeline.nodes import Items, Node, Scalar, Table
from engine.pipeline.origins import origins
from engine.pipeline.source import KeyPath

FIXTURES = sorted((Path(__file__).parent.parent / "diagnostics").glob("*.yaml"))
PIPELINES = sorted((Path(__file__).parent.parent.parent / "pipelines").glob("*.yaml"))


def at(text: str) -> Spot:
    """What is at the mark `¦`."""
    index = text.index("¦")
    return spot_at(parse(text.replace("¦", "")).source, index)


FILTER = ("snaps", "a", "filter")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sn¦aps:\n  a: {snap: X}\n", Spot(("snaps",), "key", 2)),
        ("snaps:\n  a¦: {snap: X}\n", Spot(("snaps", "a"), "key", 1)),
        ("snaps:\n  a: {sn¦ap: X}\n", Spot(("snaps", "a", "snap"), "key", 2)),
        ("snaps:\n  a: {snap: ¦X}\n", Spot(("snaps", "a", "snap"), "value", 0)),
        ("snaps:\n  a: {snap: Co¦py}\n", Spot(("snaps", "a", "snap"), "value", 2)),
        ("snaps:\n  a: {snap: X,¦ }\n", Spot(("snaps", "a"), "between")),
        ("snaps:\n  a: {snap: X, filter: $a.¦}\n", Spot(FILTER, "value", 3)),
        ("snaps:\n  a: {filter: $a +\t¦$b}\n", Spot(FILTER, "value", 5)),
        ('snaps:\n  a: {filter: "$a +\\t¦$b"}\n', Spot(FILTER, "value", 5)),
        ("snaps:\n  a:\n    snap: X\n    filter: '$a == ''¦x'''\n", Spot(FILTER, "value", 7)),
        ('snaps:\n  a:\n    filter: "\\u0041 + ¦$b"\n', Spot(FILTER, "value", 4)),
        ("snaps:\n  a:\n    filter: |\n      $a\n      + ¦$b\n", Spot(FILTER, "value", 5)),
        ("snaps:\n  a:\n    filter: >\n      $a\n      + ¦$b\n", Spot(FILTER, "value", 5)),
        ("snaps:\n  a:\n    filter: $a\n      + ¦$b\n", Spot(FILTER, "value", 5)),
        ("snaps:\r\n  a:\r\n    filter: $a + ¦$b\r\n", Spot(FILTER, "value", 5)),
        ("snaps:\n  a:\n    filter: '\U0001f600' + ¦$b\n", Spot(FILTER, "value")),
        ("snaps:\n  a:\n    filter: \U0001f600 + ¦$b\n", Spot(FILTER, "value", 4)),
        ("snaps:\n  a:\n    snap: X\n    filter: ¦\n", Spot(FILTER, "value", 0)),
        ("snaps:\n  a:\n    snap: X\n    filter:¦\n    b: 1\n", Spot(FILTER, "value", 0)),
        ("snaps:\n  a:\n    snap: X\n    ¦\n", Spot(("snaps", "a"), "between")),
        ("snaps:\n  a:\n    snap: X\n  ¦\n", Spot(("snaps",), "between")),
        ("snaps:\n  a:\n    snap: X\n¦\nlinks: []\n", Spot((), "between")),
        ("links:\n  - a -> ¦b\n", Spot(("links", 0), "value", 5)),
        ("links:\n  - a -> b\n  - c.¦\n", Spot(("links", 1), "value", 2)),
        ("links: [a -> b, ¦c -> d]\n", Spot(("links", 1), "value", 0)),
        ("snaps:\n  a: {filter: {$x: $y, $z¦: 1}}\n", Spot((*FILTER, "$z"), "key", 2)),
        ("snaps:\n  a: {filter: [{path: ¦$a}]}\n", Spot((*FILTER, 0, "path"), "value", 0)),
        ("snaps:\n  a:\n    filter:\n      - b: 1\n        ¦\n", Spot((*FILTER, 0), "between")),
        ("snaps:\n  a: &x {filter: C¦opy}\n  b: *x\n", Spot(FILTER, "value", 1)),
        ("snaps:\n  a: &x {snap: Copy}\n  b: *¦x\n", Spot(("snaps", "b"), "value")),
        ("snaps:\n  b: &x {snap: X}\n  a: {<<: *x, f¦ilter: y}\n", Spot(FILTER, "key", 1)),
        ("¦", Spot((), "between")),
    ],
)
def test_a_place_leads_to_the_key_or_value_there(text: str, expected: Spot) -> None:
    assert at(text) == expected


@pytest.mark.parametrize(
    ("link", "part", "is_view"),
    [
        ("re¦ad -> parse", LinkPart(0, "read", None, 0), False),
        ("read -> pa¦rse", LinkPart(1, "parse", None, 8), False),
        ("read.er¦ror -> b", LinkPart(0, "read", "error", 0), True),
        ("a -> b -> c.¦", LinkPart(2, "c", "", 10), True),
        ("a -> ¦", LinkPart(1, "", None, 5), False),
        ("a ->¦ b.left -> c", LinkPart(1, "b", "left", 5), False),
        ("¦", LinkPart(0, "", None, 0), False),
    ],
)
def test_a_place_in_a_link_leads_to_its_label_or_view(
    link: str, part: LinkPart, is_view: bool
) -> None:
    offset = link.index("¦")
    found = link_part_at(link.replace("¦", ""), offset)
    assert found == part
    assert found.is_view_at(offset) == is_view


def scalars(node: Node, path: KeyPath) -> Iterator[tuple[KeyPath, str, Scalar]]:
    if isinstance(node, Scalar):
        yield path, "value", node
    elif isinstance(node, Items):
        for place, item in enumerate(node.items):
            yield from scalars(item, (*path, place))
    elif isinstance(node, Table):
        for name, entry in node.entries.items():
            yield (*path, name), "key", entry.key
            yield from scalars(entry.value, (*path, name))


@pytest.mark.parametrize("file", [*PIPELINES, *FIXTURES], ids=lambda file: file.stem)
def test_every_character_of_a_file_leads_back_to_its_key_or_value(file: Path) -> None:
    source = parse(file.read_bytes(), file.name).source
    if source.root is None or "&" in source.text.whole or source.lost:
        return
    for path, part, scalar in scalars(source.root, ()):
        places = origins(source.text.whole, scalar) or []
        for offset in range(1, len(places)):
            if places[offset] > places[offset - 1]:
                spot = spot_at(source, places[offset])
                assert (spot.path, spot.part, spot.offset) == (path, part, offset)
