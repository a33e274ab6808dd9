"""Documents that several readers share: whatever one of them does, the others do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.sdk import Batch, DataError, Document, Snap, View, Views
from tests.run.flowing import Collecting, Watching, run
from tests.run.spoiling import MUTATORS, PUSHES, Keeps, flow, nested, spoil


@pytest.mark.parametrize("observer", [Watching, Collecting])
@pytest.mark.parametrize("spoiler", [*MUTATORS, PUSHES])
@pytest.mark.parametrize("source", ["Copy", "Sends"])
def test_a_change_behind_one_output_is_not_seen_behind_another(
    spoiler: str, source: str, observer: type[Any], tmp_path: Path
) -> None:
    first, second = ("left", "right") if source == "Sends" else ("output0", "output1")
    text = f"""
snaps:
  copy: {{snap: {source}}}
  one: {spoiler}
  two: {{snap: Filter, filter: $n == 1}}
links: [copy.{first} -> one, copy.{second} -> two]
"""
    outputs = flow(tmp_path, text, observer=observer())
    assert outputs["two.output"] == [nested(), nested()]
    assert outputs["one.output"] != outputs["two.output"]


@pytest.mark.parametrize("spoiler", MUTATORS)
def test_every_branch_sees_its_own_changes_only(spoiler: str, tmp_path: Path) -> None:
    text = f"""
snaps:
  copy: {{snap: Copy}}
  one: {spoiler}
  two: {spoiler}
  all: {{snap: Union}}
links:
  - copy.output0 -> one -> all.input0
  - copy.output1 -> two -> all.input1
  - copy.output2 -> all.input2
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    documents = outputs["all.output"]
    assert sorted(documents.count(each) for each in documents) == [2, 2, 4, 4, 4, 4]
    assert documents.count(nested()) == 2
    assert documents.count(spoil(nested())) == 4


def test_snaps_between_the_copy_and_the_change_do_not_matter(tmp_path: Path) -> None:
    text = """
snaps:
  copy: {snap: Copy}
  keep: {snap: Filter, filter: $n == 1}
  shape: {snap: Mapper, mappings: {$part: $list, $n: $n}}
  again: {snap: Copy}
  one: {snap: Spoils}
  two: {snap: Union}
  three: {snap: Union}
links:
  - copy.output0 -> keep -> shape -> again
  - again.output0 -> one
  - again.output1 -> two
  - copy.output1 -> three
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    assert outputs["two.output"] == [{"part": [1, {"x": [2]}], "n": 1}] * 2
    assert outputs["three.output"] == [nested(), nested()]
    assert outputs["one.output"] == [spoil({"part": [1, {"x": [2]}], "n": 1})] * 2


def test_documents_of_a_union_of_branches_are_changed_one_by_one(tmp_path: Path) -> None:
    text = """
snaps:
  copy: {snap: Copy}
  all: {snap: Union}
  one: {snap: Spoils}
links: [copy.output0 -> all, copy.output1 -> all, all -> one]
"""
    outputs = flow(tmp_path, text, observer=Collecting(), inputs={"copy": [nested()]})
    assert outputs["one.output"] == [spoil(nested())] * 2


@pytest.mark.parametrize("on_error", ["route", "discard"])
def test_a_change_to_the_original_of_an_error_stays_in_the_error(
    on_error: str, tmp_path: Path
) -> None:
    text = f"""
snaps:
  copy: {{snap: Copy}}
  fails: {{snap: Filter, filter: $gone == 1, on_error: route}}
  also: {{snap: Filter, filter: $gone == 2, on_error: route}}
  spoils: {{snap: Spoils, on_error: {on_error}}}
  reads: {{snap: Union}}
  rest: {{snap: Union}}
  bin: {{snap: Union}}
links:
  - copy.output0 -> fails
  - copy.output1 -> also
  - copy.output2 -> rest
  - fails.error -> spoils
  - also.error -> reads
  - fails -> bin
  - also -> bin
"""
    if on_error == "route":
        text += "  - spoils.error -> bin\n"
    outputs = flow(tmp_path, text, observer=Collecting(), inputs={"copy": [nested()]})
    assert outputs["spoils.output"][0]["original"] == spoil(nested())
    assert outputs["reads.output"][0]["original"] == nested()
    assert outputs["rest.output"] == [nested()]


@pytest.mark.parametrize("snap", ["SpoilsAndFails", "SpoilsBatchesAndFails"])
def test_the_original_of_an_error_is_the_document_as_it_arrived(snap: str, tmp_path: Path) -> None:
    text = f"""
snaps:
  copy: {{snap: {snap}, on_error: route}}
  dead: {{snap: Union}}
links: [copy.error -> dead]
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    assert [error["original"] for error in outputs["dead.output"]] == [nested(), nested()]


@pytest.mark.parametrize(
    "snap",
    [
        "snap: Filter, filter: $list.push(5) > $gone",
        "snap: Mapper, mappings: {$a: $list.push(5), $b: $gone}",
        "snap: Mapper, pass_through: true, mappings: {$map.y: $list.push(5), $b: $gone}",
        "snap: Filter, filter: \"eval('$list.push(5)') > $gone\"",
    ],
)
def test_the_original_of_an_expression_that_changes_and_fails_is_unchanged(
    snap: str, tmp_path: Path
) -> None:
    text = f"""
snaps:
  copy: {{{snap}, on_error: route}}
  dead: {{snap: Union}}
links: [copy.error -> dead]
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    assert [error["original"] for error in outputs["dead.output"]] == [nested(), nested()]


def test_what_an_expression_changes_is_seen_by_the_next_snap(tmp_path: Path) -> None:
    text = """
snaps:
  copy: {snap: Filter, filter: $list.push(5) == 3}
  next: {snap: Mapper, mappings: {$list: $list}}
links: [copy -> next]
"""
    outputs = flow(tmp_path, text, observer=Collecting(), inputs={"copy": [nested()]})
    assert outputs["next.output"] == [{"list": [1, {"x": [2]}, 5]}]


@pytest.mark.parametrize(
    "snap",
    [
        "snap: Mapper, mappings: {$a: \"jsonPath($, '$.list[?(value.x && value.x.push(5))]')\"}",
        "snap: Mapper, pass_through: true, mappings: {\"$list[($list.push(5))]\": '1'}",
        "snap: JSONFormatter, header: {$h: $list.push(5)}",
        'snap: JSONFormatter, content_path: "$list[?(value.x && value.x.push(5))]"',
    ],
)
def test_an_expression_in_a_path_or_a_header_changes_no_other_branch(
    snap: str, tmp_path: Path
) -> None:
    text = f"""
snaps:
  copy: {{snap: Copy}}
  one: {{{snap}}}
  two: {{snap: Union}}
links: [copy.output0 -> one, copy.output1 -> two]
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    assert outputs["two.output"] == [nested(), nested()]


def test_a_watcher_has_seen_the_documents_as_they_crossed(tmp_path: Path) -> None:
    text = """
snaps:
  copy: {snap: Filter, filter: 'true'}
  one: {snap: Spoils}
  two: {snap: Mapper, pass_through: true, mappings: {$c: $list.push(1)}}
links: [copy -> one -> two]
"""
    watching = Watching()
    flow(tmp_path, text, observer=watching, inputs={"copy": [nested()]})
    assert watching.crossings["copy.output"] == [nested()]
    assert watching.crossings["one.output"] == [spoil(nested())]


def test_a_batch_that_is_repeated_after_a_failure_is_not_changed_twice(tmp_path: Path) -> None:
    class Counts(Snap[Any]):
        stateful = False

        def process_batch(self, view: str, batch: Batch) -> Batch:
            for document in batch.items:
                document["n"] += 1
                if document["fails"]:
                    raise DataError("it failed")
            return batch

    text = "snaps: {copy: {snap: Counts, on_error: discard}}"
    given = [{"n": 0, "fails": number == 40} for number in range(64)]
    outputs = flow(tmp_path, text, Counts, observer=Collecting(), inputs={"copy": given})
    assert outputs["copy.output"] == [{"n": 1, "fails": False}] * 63


def test_a_part_that_a_snap_puts_into_many_documents_is_changed_in_one(tmp_path: Path) -> None:
    text = """
snaps:
  copy: {snap: Joins}
  one: {snap: Spoils}
links: [copy -> one]
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    assert outputs["one.output"] == [spoil({"other": nested()})] * 2


def test_what_waits_on_disk_is_not_changed_by_another_branch(tmp_path: Path) -> None:
    class Waits(Snap[Any]):
        """Reads its second view to the end before the first one."""

        changes_input = False
        views = Views(inputs=(View("later"), View("first", read_first=True)))

        def process_batch(self, view: str, batch: Batch) -> Batch:
            return batch

    class Repeats(Snap[Any]):
        def process(self, document: Document) -> Iterator[Document]:
            for number in range(20_000):
                yield {**document, "n": number}

    text = """
snaps:
  copy: {snap: Repeats}
  both: {snap: Copy}
  spoils: {snap: Spoils}
  ends: {snap: Waits}
links: [copy -> both, both.output0 -> ends.later, both.output1 -> spoils -> ends.first]
"""
    outputs = flow(
        tmp_path, text, Waits, Repeats, observer=Collecting(), inputs={"copy": [nested()]}
    )
    documents = outputs["ends.output"]
    assert len(documents) == 40_000
    assert all(document == {**nested(), "n": n} for n, document in enumerate(documents[20_000:]))


def test_lists_of_a_library_do_not_get_into_documents(tmp_path: Path) -> None:
    (tmp_path / "shared.expr").write_text("{list: [1, {x: 2}], get: () => this.list}")
    text = """
libraries: {c: shared.expr}
snaps:
  copy: {snap: Mapper, mappings: {$a: lib.c.list, $b: '[lib.c][0].list', $s: snap.in}}
  one: {snap: Spoils}
links: [copy -> one]
"""
    outputs = flow(tmp_path, text, observer=Collecting())
    first, second = outputs["one.output"]
    assert first["a"] == first["b"] == [1, {"x": 2, "mark": "spoilt"}, "spoilt"]
    assert second["a"] == second["b"] == first["a"]
    assert (first["s"]["mark"], second["s"]["mark"]) == ("spoilt", "spoilt")
    assert first["s"] is not second["s"]


def test_generated_documents_have_their_own_original(tmp_path: Path) -> None:
    text = """
snaps:
  before: {snap: Filter, filter: 'true'}
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}], pass_through: true}
  one: {snap: Spoils}
links: [before -> make -> one]
"""
    outputs = flow(tmp_path, text, observer=Collecting(), inputs={"before": [nested()]})
    assert [each["original"] for each in outputs["one.output"]] == [spoil(nested())] * 2


def test_readers_that_change_nothing_share_a_document(tmp_path: Path) -> None:
    Keeps.kept.clear()
    text = """
snaps:
  copy: {snap: Copy}
  one: {snap: Keeps}
  two: {snap: Keeps}
links: [copy.output0 -> one, copy.output1 -> two]
"""
    flow(tmp_path, text, observer=Collecting(), inputs={"copy": [nested()]})
    first, second = Keeps.kept
    assert first is second


def test_an_expression_that_changes_one_field_copies_only_that_field(tmp_path: Path) -> None:
    Keeps.kept.clear()
    text = """
snaps:
  copy: {snap: Copy}
  one: {snap: Filter, filter: $list.push(5) == 3}
  two: {snap: Keeps}
  three: {snap: Keeps}
links: [copy.output0 -> one -> two, copy.output1 -> three]
"""
    flow(tmp_path, text, observer=Collecting(), inputs={"copy": [nested()]})
    first, second = Keeps.kept
    assert first["list"] != second["list"]
    assert first["map"] is second["map"]


DEEP = """
snaps:
  make:
    snap: Mapper
    mappings: {$list: "[1, 2]", $deep: "sl.range(0, 600).reduce((inner, x) => [inner], 1)"}
  copy: {snap: Copy}
  push: {snap: Mapper, pass_through: true, mappings: {$count: $list.push(9)}}
  spoil: {snap: Appends}
  keep: {snap: Mapper, mappings: {$list: $list}}
links: [make -> copy, copy.output0 -> push -> spoil, copy.output1 -> keep]
"""


class Appends(Snap[Any]):
    """Changes the document, of which other readers have their own copy."""

    def process(self, document: Document) -> Document:
        document["deep"].append("spoilt")
        return {"count": document["count"]}


def test_lists_nested_by_the_hundred_are_copied(tmp_path: Path) -> None:
    report, failure, seen = run(tmp_path, DEEP, Appends, inputs={"make": [{}]})
    assert failure is None
    assert seen.outputs == {"spoil.output": [{"count": 3}], "keep.output": [{"list": [1, 2]}]}
    assert sum(snap.errors for snap in report.snaps) == 0
