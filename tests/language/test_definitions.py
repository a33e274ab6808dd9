"""Go to definition, references, and the things that a file mentions."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.define import define
from engine.language.refer import highlight, refer
from tests.language.folders import CHILD, PINS, PIPELINE, TASK, TESTS, Folder, marked, orders


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return orders(tmp_path)


def defined(folder: Folder, name: str, text: str) -> list[str]:
    return [folder.shown(each) for each in define(*folder.open(name, text))]


def referred(folder: Folder, name: str, text: str) -> list[str]:
    return [folder.shown(each) for each in refer(*folder.open(name, text))]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("-> bi¦g\n", "main.yaml:6:big"),
        ("- ¦big.output", "main.yaml:6:big"),
        ("+_le¦ast", "main.yaml:1:least"),
        ("= _least¦}", "main.yaml:1:least"),
        ("+¦_least", "main.yaml:1:least"),
        ("lib.t¦ax.rate", "main.yaml:2:tax"),
        ("tax.ra¦te >", "tax.expr:2:rate"),
        ("tax: tax¦.expr", "tax.expr:1:"),
        ("file: ord¦ers.json", "orders.json:1:"),
        ("pipeline: ch¦ild", "child.yaml:1:"),
        ("{ur¦l: = _least}", "child.yaml:1:url"),
    ],
)
def test_leads_from_a_pipeline_to_what_it_names(folder: Folder, at: str, expected: str) -> None:
    assert defined(folder, "main.yaml", marked(PIPELINE, at)) == [expected]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("{lea¦st: 5}", "main.yaml:1:least"),
        ("mocks: {re¦ad:", "main.yaml:4:read"),
        ("[par¦se]", "main.yaml:5:parse"),
        ("¦big.output: []", "main.yaml:6:big"),
    ],
)
def test_leads_from_a_test_file_to_its_pipeline(folder: Folder, at: str, expected: str) -> None:
    assert defined(folder, "main.test.yaml", marked(TESTS, at)) == [expected]


def test_leads_from_a_task_to_its_pipeline_and_its_parameters(folder: Folder) -> None:
    assert defined(folder, "tasks/main.yaml", marked(TASK, "../ma¦in.yaml")) == ["main.yaml:1:"]
    assert defined(folder, "tasks/main.yaml", marked(TASK, "{le¦ast")) == ["main.yaml:1:least"]


def test_leads_from_the_name_of_a_snap_to_its_class(folder: Folder) -> None:
    document, position = folder.open("main.yaml", marked(PIPELINE, "snap: Fil¦ter"))
    (target,) = define(document, position)
    line = Path(target.path).read_text().splitlines()[target.range.start.line]
    assert line.startswith("class Filter(")


def test_leads_to_an_account(folder: Folder) -> None:
    folder.write("accounts/db.yaml", "account: basic\nusername: u\npassword: ${env:P}\n")
    text = "snaps:\n  get: {snap: RESTGet, url: 'http://localhost', account: d¦b}\n"
    assert defined(folder, "other.yaml", text) == ["accounts/db.yaml:1:"]


def test_leads_from_a_template_to_the_parameter_that_it_reads(folder: Folder) -> None:
    assert defined(folder, "child.yaml", marked(CHILD, "$_ur¦l")) == ["child.yaml:1:url"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "¦",
        "snaps: ¦{}",
        "snaps: {a: {snap: Filter, filter: $a > ¦1}}",
        "snaps: {a: {snap: FileReader, file: no¦thing.json}}",
        "links: [¦x -> y]",
        "snaps:\n  a: [¦",
        "- ¦1",
        "snaps: {a: {snap: Filter, filter: lib.n¦one.x}}",
    ],
)
def test_leads_nowhere_from_anything_else(folder: Folder, text: str) -> None:
    assert defined(folder, "odd.yaml", text) == []


def test_places_follow_characters_outside_the_basic_plane(folder: Folder) -> None:
    text = "snaps:\r\n  a: {snap: Mapper, mappings: {$x: '\"😀\" + _¦p'}}\r\nparameters: {p: x}\r\n"
    assert defined(folder, "emoji.yaml", text) == ["emoji.yaml:3:p"]


def test_references_of_a_label_are_in_its_links_and_tests(folder: Folder) -> None:
    assert referred(folder, "main.yaml", marked(PIPELINE, "  bi¦g: {")) == [
        "main.yaml:6:big",
        "main.yaml:9:big",
        "main.yaml:10:big",
        "main.preview.yaml:1:big",
        "main.test.yaml:6:big",
        "main.test.yaml:6:big",
    ]


def test_references_of_a_parameter_are_in_expressions_tests_and_tasks(folder: Folder) -> None:
    assert referred(folder, "main.yaml", marked(PIPELINE, "{le¦ast:")) == [
        "main.yaml:1:least",
        "main.yaml:6:least",
        "main.yaml:6:least",
        "main.yaml:7:least",
        "main.test.yaml:3:least",
        "tasks/main.yaml:3:least",
    ]


def test_references_of_a_parameter_are_in_the_pipelines_that_pass_it(folder: Folder) -> None:
    assert referred(folder, "child.yaml", marked(CHILD, "{u¦rl:")) == [
        "child.yaml:1:url",
        "child.yaml:3:url",
        "main.yaml:7:url",
    ]


def test_references_of_a_file_are_the_files_that_name_it(folder: Folder) -> None:
    assert referred(folder, "tasks/main.yaml", marked(TASK, "../ma¦in.yaml")) == [
        "tasks/main.yaml:2:../main.yaml"
    ]


def test_an_open_file_counts_as_it_is_in_the_editor(folder: Folder) -> None:
    folder.open("main.test.yaml", TESTS.replace("mocks: {read: [], ", "mocks: {"))
    found = referred(folder, "main.yaml", marked(PIPELINE, "  re¦ad: {"))
    assert found == ["main.yaml:4:read", "main.yaml:9:read", "main.preview.yaml:1:read"]


def test_references_without_the_declaration(folder: Folder) -> None:
    document, position = folder.open("main.yaml", marked(PIPELINE, "  re¦ad: {"))
    found = refer(document, position, declaration=False)
    assert "main.yaml:4:read" not in map(folder.shown, found)


def test_highlights_are_those_of_the_file(folder: Folder) -> None:
    document, position = folder.open("main.yaml", marked(PIPELINE, "  re¦ad: {"))
    assert [each.start.line for each in highlight(document, position)] == [3, 8]


def test_leads_from_pins_to_the_snap_that_has_them(folder: Folder) -> None:
    assert defined(folder, "main.preview.yaml", marked(PINS, "{re¦ad:")) == ["main.yaml:4:read"]
    found = defined(folder, "main.preview.yaml", marked(PINS, "ord¦ers.json"))
    assert found == ["orders.json:1:"]
