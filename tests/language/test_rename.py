"""Renaming labels, parameters and libraries in all files of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.rename import RenameRefusedError, prepare_rename, rename
from tests.language.folders import CHILD, PINS, PIPELINE, TASK, TESTS, Folder, marked, orders


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return orders(tmp_path)


def renamed(folder: Folder, at: str, new: str) -> dict[str, str]:
    return folder.edited(rename(*folder.open("main.yaml", marked(PIPELINE, at)), new))


def refused(folder: Folder, text: str, new: str, name: str = "main.yaml") -> str:
    with pytest.raises(RenameRefusedError) as refusal:
        rename(*folder.open(name, text), new)
    return str(refusal.value)


def test_a_label_is_renamed_in_links_and_tests(folder: Folder) -> None:
    assert renamed(folder, "-> bi¦g", "large orders") == {
        "main.yaml": PIPELINE.replace("big", "large orders"),
        "main.preview.yaml": PINS.replace("big", "large orders"),
        "main.test.yaml": TESTS.replace("big", "large orders"),
    }


def test_a_parameter_is_renamed_wherever_it_is_read_or_given(folder: Folder) -> None:
    assert renamed(folder, "+_le¦ast", "lowest") == {
        "main.yaml": PIPELINE.replace("least", "lowest"),
        "main.test.yaml": TESTS.replace("least", "lowest"),
        "tasks/main.yaml": TASK.replace("least", "lowest"),
    }


def test_a_parameter_is_renamed_from_its_underscore(folder: Folder) -> None:
    document, position = folder.open("main.yaml", marked(PIPELINE, "+¦_least"))
    place, name = prepare_rename(document, position)
    start, end = map(document.lines.index, place)
    assert (document.text[start:end], name) == ("_least", "least")
    assert renamed(folder, "+¦_least", "lowest") == renamed(folder, "+_le¦ast", "lowest")


def test_a_parameter_of_a_child_is_renamed_in_its_callers_and_templates(folder: Folder) -> None:
    edits = rename(*folder.open("child.yaml", marked(CHILD, "{u¦rl")), "address")
    assert folder.edited(edits) == {
        "child.yaml": CHILD.replace("url", "address"),
        "main.yaml": PIPELINE.replace("url", "address"),
    }


def test_a_library_is_renamed_in_expressions(folder: Folder) -> None:
    assert renamed(folder, "lib.t¦ax", "vat") == {
        "main.yaml": PIPELINE.replace("lib.tax", "lib.vat").replace("{tax:", "{vat:")
    }


def test_a_new_parameter_name_may_be_written_as_in_expressions(folder: Folder) -> None:
    assert "_lowest" in renamed(folder, "+_le¦ast", "_lowest")["main.yaml"]
    assert "__lowest" not in renamed(folder, "+_le¦ast", "_lowest")["main.yaml"]


def test_only_the_name_is_replaced_in_quotes_and_blocks(folder: Folder) -> None:
    text = (
        "parameters:\n  p: x\nsnaps:\n  'a': {snap: Mapper, mappings: {$x: \"_p + '_p'\"}}\n"
        "  b:\n    snap: Filter\n    filter: |\n      $x == _p\n      && pipe.args.p != ''\n"
        "links: ['a -> b']\n"
    )
    edits = rename(*folder.open("quotes.yaml", text.replace("  p:", "  ¦p:")), "q")
    expected = text.replace("  p:", "  q:").replace('"_p', '"_q').replace("== _p", "== _q")
    assert folder.edited(edits) == {"quotes.yaml": expected.replace("args.p", "args.q")}
    edits = rename(*folder.open("quotes.yaml", text.replace("'a'", "'¦a'")), "first")
    assert folder.edited(edits)["quotes.yaml"] == text.replace("'a'", "'first'").replace(
        "'a ->", "'first ->"
    )


def test_the_names_of_functions_that_hide_a_parameter_stay(folder: Folder) -> None:
    text = "parameters: {p: x}\nsnaps:\n  a: {snap: Filter, filter: $l.some(_p => _p) && _¦p}\n"
    edits = rename(*folder.open("local.yaml", text), "q")
    after = folder.edited(edits)["local.yaml"]
    assert "some(_p => _p) && _q" in after


def test_renaming_to_the_same_name_changes_nothing(folder: Folder) -> None:
    assert renamed(folder, "-> bi¦g", "big") == {}


def test_the_place_to_rename_is_the_name_alone(folder: Folder) -> None:
    place, name = prepare_rename(*folder.open("main.yaml", marked(PIPELINE, "+_le¦ast")))
    line = PIPELINE.splitlines()[place.start.line]
    assert line[place.start.character : place.end.character] == name == "least"


@pytest.mark.parametrize(
    "new", ["", "a.b", "a -> b", "true", "1", "a-", "x: y", "a\nb", "[a", "😀"]
)
def test_refuses_labels_that_links_cannot_name(folder: Folder, new: str) -> None:
    message = refused(folder, marked(PIPELINE, "-> bi¦g"), new)
    assert "is not a valid label here; use letters" in message


@pytest.mark.parametrize("new", ["", "a b", "1a", "a-b", "__a", "é"])
def test_refuses_parameters_that_expressions_cannot_read(folder: Folder, new: str) -> None:
    message = refused(folder, marked(PIPELINE, "+_le¦ast"), new)
    assert "is not a valid parameter name" in message


@pytest.mark.parametrize(
    ("at", "new", "message"),
    [
        ("-> bi¦g", "parse", "main.yaml already has a label 'parse'"),
        ("+_le¦ast", "unused", "main.yaml already has a parameter 'unused'"),
        ("-> bi¦g", "output", "'output' has another meaning in main.test.yaml"),
        ("snap: Fil¦ter", "x", "only labels, parameters and libraries can be renamed here"),
        ("$amo¦unt", "x", "only labels, parameters and libraries can be renamed here"),
    ],
)
def test_refuses_names_that_clash(folder: Folder, at: str, new: str, message: str) -> None:
    assert refused(folder, marked(PIPELINE, at), new) == message


def test_refuses_a_parameter_that_an_expression_uses_already(folder: Folder) -> None:
    text = "parameters: {¦p: x}\nsnaps:\n  a: {snap: Filter, filter: $l.some(_q => _p)}\n"
    assert refused(folder, text, "q", "local.yaml") == "local.yaml already uses '_q'"


def test_refuses_while_a_file_is_not_valid_yaml(folder: Folder) -> None:
    text = marked(PIPELINE, "-> bi¦g") + "  - 'x -> \n"
    assert refused(folder, text, "large") == "main.yaml is not valid YAML; correct that first"


def test_refuses_while_settings_that_may_use_the_parameter_have_mistakes(folder: Folder) -> None:
    text = "parameters: {¦p: x}\nsnaps:\n  a: {snap: Nothing, filter: = _p}\n"
    message = refused(folder, text, "q", "odd.yaml")
    assert message.startswith("the settings of 'a' have mistakes; correct them first")


def test_refuses_a_name_that_is_written_with_escapes(folder: Folder) -> None:
    text = 'snaps:\n  "\\x61b": {snap: Copy}\n  c: {snap: Copy}\nlinks: [¦ab -> c]\n'
    message = refused(folder, text, "d", "escaped.yaml")
    assert message == "'ab' is written with escapes in escaped.yaml:2; rename it by hand"


def test_refuses_a_label_that_no_snap_has(folder: Folder) -> None:
    text = "snaps: {a: {snap: Copy}}\nlinks: [a -> ¦b]\n"
    assert refused(folder, text, "c", "odd.yaml") == "odd.yaml has no label 'b'"
