"""`engine lsp` as an editor sees it: in a process of its own, over standard input and output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.language_client import LanguageClient

COMMAND = [sys.executable, "-m", "engine", "lsp"]
PUSHED: Any = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
PULLED: Any = {
    "general": {"positionEncodings": ["utf-8", "utf-16"]},
    "textDocument": {"diagnostic": {}},
}
MAKE = "snaps: {make: {snap: JSONGenerator, documents: [{a: 1}]}, log: {snap: Nothing}}\n"
VALID = "snaps:\n  a: {snap: JSONGenerator, documents: [{x: 1}]}\n  b: {snap: Filter, filter: $x}\n"
VALID += "links: [a -> b]\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageClient]:
    pytest.importorskip("pygls")
    started = LanguageClient(COMMAND, tmp_path_factory.mktemp("project"), PUSHED)
    yield started
    started.close()


@pytest.fixture(scope="module")
def pulling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageClient]:
    """A client that counts bytes, and asks for diagnostics."""
    pytest.importorskip("pygls")
    started = LanguageClient(COMMAND, tmp_path_factory.mktemp("project"), PULLED)
    yield started
    started.close()


def at(client: LanguageClient, name: str, line: int, character: int) -> Any:
    place = {"line": line, "character": character}
    return {"textDocument": {"uri": client.uri(name)}, "position": place}


def insertion(line: int, character: int, text: str) -> Any:
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


def test_problems_are_shown_where_they_are(client: LanguageClient) -> None:
    (found,) = client.diagnose("broken.yaml", VALID.replace("snap: Filter", "snap: Filtr"))
    assert found["code"] == "unknown-snap"
    assert found["message"] == "there is no snap called 'Filtr'\ndid you mean 'Filter'?"
    assert found["range"] == {
        "start": {"line": 2, "character": 12},
        "end": {"line": 2, "character": 17},
    }


def test_edits_are_checked_as_they_are_made(client: LanguageClient) -> None:
    text = VALID.replace("filter: $x", "filter: '$x == \"😀\"'").replace("\n", "\r\n")
    assert client.diagnose("edited.yaml", text) == []
    end = 2, len('  b: {snap: Filter, filter: \'$x == "😀"') + 1  # two units for the emoji
    client.change("edited.yaml", 2, [insertion(*end, " +")])
    (found,) = client.diagnostics("edited.yaml")
    assert found["code"] == "expression-syntax"
    client.change("edited.yaml", 3, [insertion(2, end[1] + 2, " 1")])
    assert client.diagnostics("edited.yaml") == []


def test_lines_end_where_editors_end_them(client: LanguageClient) -> None:
    text = VALID.replace("links:", "# a\u2028b\x0c\nlinks:")
    client.open("separators.yaml", text)
    client.diagnostics("separators.yaml")
    client.change("separators.yaml", 2, [insertion(4, len("links: [a -> b"), "c")])
    (found,) = client.diagnostics("separators.yaml")
    assert found["code"] in ("unknown-label", "bad-encoding")


def test_yaml_of_other_programs_is_left_alone(client: LanguageClient) -> None:
    text = "services:\n  web: {image: nginx}\ntype: x\n"
    assert client.diagnose("compose.yaml", text) == []
    assert client.ask("textDocument/documentSymbol", **at(client, "compose.yaml", 0, 0)) == []


def test_what_may_be_written_is_offered(client: LanguageClient) -> None:
    items = client.complete("typed.yaml", VALID.replace("filter: $x", "filter: $x.toF|"))
    found = next(each for each in items if each["label"] == "toFixed")
    line = len("  b: {snap: Filter, filter: $x.")
    assert found["textEdit"] == {
        "range": {
            "start": {"line": 2, "character": line},
            "end": {"line": 2, "character": line + len("toF")},
        },
        "newText": "toFixed(",
    }
    assert "toFixed(" in found["documentation"]["value"]


def test_a_list_that_has_room_shows_more_of_each_item(tmp_path: Path) -> None:
    pytest.importorskip("pygls")
    item = {"completionItem": {"labelDetailsSupport": True}}
    editor = LanguageClient(COMMAND, tmp_path, {"textDocument": {"completion": item}})
    text = VALID.replace("filter: $x", "filter: Math.ma|")
    functions = {each["label"]: each for each in editor.complete("typed.yaml", text)}
    (tmp_path / "tax.expr").write_text("{gross: x => x * 1.19}")
    text = "libraries: {tax: tax.expr}\n" + VALID.replace("filter: $x", "filter: lib.tax.|")
    own = {each["label"]: each for each in editor.complete("typed.yaml", text)}
    snaps = {
        each["label"]: each
        for each in editor.complete("typed.yaml", VALID.replace("Filter", "Fil|"))
    }
    editor.close()
    assert functions["max"]["labelDetails"] == {"detail": "(...values)"}
    assert not own["gross"].get("labelDetails")  # nobody knows its arguments
    description = snaps["Filter"]["labelDetails"]["description"]
    assert description.startswith("Pass on the documents")


def test_an_empty_file_is_offered_the_keys_of_a_pipeline(client: LanguageClient) -> None:
    labels = [each["label"] for each in client.complete("new.yaml", "|")]
    assert "snaps" in labels


def test_help_is_shown_for_what_is_at_the_cursor(client: LanguageClient) -> None:
    shown = client.hover("typed.yaml", VALID.replace("snap: Filter", "snap: Fil|ter"))
    assert "Pass on the documents for which an expression is true" in shown


def test_the_parameters_of_a_function_are_shown(client: LanguageClient) -> None:
    text = VALID.replace("filter: $x", "filter: 'Math.max(1, $x'")
    client.open("typed.yaml", text)
    place = at(client, "typed.yaml", 2, len("  b: {snap: Filter, filter: 'Math.max(1, $x"))
    found = client.ask("textDocument/signatureHelp", **place)
    assert found["signatures"][0]["label"].startswith("Math.max(")


def test_a_definition_in_another_file_is_found(client: LanguageClient) -> None:
    client.diagnose("flow.yaml", VALID)
    test = "cases: {one: {mocks: {b: []}, expect: {b: {count: 1}}}}\n"
    client.open("flow.test.yaml", test)
    (found,) = client.ask("textDocument/definition", **at(client, "flow.test.yaml", 0, 22))
    assert found["uri"] == client.uri("flow.yaml")
    assert found["range"]["start"] == {"line": 2, "character": 2}


def test_a_rename_edits_all_files(client: LanguageClient) -> None:
    client.diagnose("flow.yaml", VALID)
    client.open("flow.test.yaml", "cases: {one: {mocks: {b: []}, expect: {b: {count: 1}}}}\n")
    place = at(client, "flow.yaml", 2, 2)
    assert client.ask("textDocument/prepareRename", **place)["placeholder"] == "b"
    changes = client.ask("textDocument/rename", **place, newName="keep")["changes"]
    counts = {uri.rpartition("/")[2]: len(edits) for uri, edits in changes.items()}
    assert counts == {"flow.yaml": 2, "flow.test.yaml": 2}


def test_a_refused_rename_says_why(client: LanguageClient) -> None:
    client.diagnose("flow.yaml", VALID)
    response = client.response("textDocument/rename", **at(client, "flow.yaml", 2, 2), newName="a")
    assert response["error"]["message"] == "flow.yaml already has a label 'a'"


def test_a_file_is_formatted_as_a_whole(client: LanguageClient) -> None:
    client.diagnose("spaces.yaml", VALID.replace("  a:", "  a:   "))
    options = {"tabSize": 4, "insertSpaces": True}
    (edit,) = client.ask(
        "textDocument/formatting", textDocument={"uri": client.uri("spaces.yaml")}, options=options
    )
    assert edit["newText"] == VALID


def test_a_hint_that_is_a_change_is_a_quick_fix(client: LanguageClient) -> None:
    (found,) = client.diagnose("fixed.yaml", VALID.replace("snap: Filter", "snap: Filtr"))
    (fix,) = client.ask(
        "textDocument/codeAction",
        textDocument={"uri": client.uri("fixed.yaml")},
        range=found["range"],
        context={"diagnostics": [found]},
    )
    assert fix["title"] == "Write 'Filter'"
    assert fix["diagnostics"] == [found]
    edit = {"range": found["range"], "newText": "Filter"}
    assert fix["edit"]["changes"] == {client.uri("fixed.yaml"): [edit]}


def test_files_that_change_on_the_disk_are_read_again(
    client: LanguageClient, tmp_path: Path
) -> None:
    child = tmp_path / "child.yaml"
    text = f"snaps:\n  call: {{snap: PipelineExecute, pipeline: '{child}'}}\n"
    (missing,) = client.diagnose("parent.yaml", text)
    assert missing["code"] == "missing-file"
    child.write_text(VALID)
    change = {"uri": child.as_uri(), "type": 1}
    client.tell("workspace/didChangeWatchedFiles", changes=[change])
    assert client.diagnostics("parent.yaml") == []


def test_a_closed_file_has_no_problems(client: LanguageClient) -> None:
    assert client.diagnose("closed.yaml", MAKE) != []
    client.tell("textDocument/didClose", textDocument={"uri": client.uri("closed.yaml")})
    assert client.diagnostics("closed.yaml") == []


@pytest.mark.parametrize(
    ("line", "character"), [(999, 0), (0, 999), (2_000_000_000, 0), (2, 2_000_000_000)]
)
def test_places_outside_a_file_mean_the_nearest_one(
    client: LanguageClient, line: int, character: int
) -> None:
    client.diagnose("flow.yaml", VALID)
    for method in ("definition", "documentHighlight", "prepareRename"):
        client.ask(f"textDocument/{method}", **at(client, "flow.yaml", line, character))


def test_requests_about_files_that_are_not_there_have_no_answer(client: LanguageClient) -> None:
    assert client.ask("textDocument/definition", **at(client, "vanished.yaml", 0, 0)) == []
    client.change("vanished.yaml", 7, [insertion(0, 0, "x")])
    assert client.ask("textDocument/prepareRename", **at(client, "vanished.yaml", 0, 0)) is None


def test_messages_that_cannot_be_read_do_not_end_the_server(client: LanguageClient) -> None:
    for body in (
        b"{",
        b"[]",
        b"7",
        b'"x"',
        b'{"jsonrpc": "2.0"}',
        b'{"id": {}, "method": 3}',
        b"\xff",
    ):
        client.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    client.tell("$/unknownNotification", x=1)
    client.tell("textDocument/didChange", textDocument={"uri": 5})
    assert client.response("textDocument/unknown")["error"]["code"] == -32601
    assert client.response("textDocument/rename", position=3)["error"]["code"] == -32602
    assert client.diagnose("flow.yaml", VALID) == []


def test_an_editor_that_counts_bytes_asks_for_problems(pulling: LanguageClient) -> None:
    assert pulling.server["capabilities"]["positionEncoding"] == "utf-8"
    pulling.open("bytes.yaml", VALID.replace("filter: $x", "filter: '\"é😀\" == _p'"))
    document = {"uri": pulling.uri("bytes.yaml")}
    report = pulling.ask("textDocument/diagnostic", textDocument=document)
    (found,) = report["items"]
    before = len('  b: {snap: Filter, filter: \'"é😀" == '.encode())
    assert found["range"]["start"] == {"line": 2, "character": before}
    pulling.change("bytes.yaml", 2, [insertion(2, before + 2, " || true")])
    pulling.change("bytes.yaml", 3, [insertion(0, 0, "parameters: {p: x}\n")])
    report = pulling.ask("textDocument/diagnostic", textDocument=document)
    assert report["items"] == []


def test_a_change_up_to_a_line_behind_the_last_one_replaces_all(pulling: LanguageClient) -> None:
    pulling.open("behind.yaml", "snaps: {a: {snap: Nothing}}  # é")
    start, end = {"line": 0, "character": 0}, {"line": 1, "character": 0}
    change = {"range": {"start": start, "end": end}, "text": VALID}
    pulling.change("behind.yaml", 2, [change])
    document = {"uri": pulling.uri("behind.yaml")}
    assert pulling.ask("textDocument/diagnostic", textDocument=document)["items"] == []


def test_the_server_ends_when_the_editor_does(tmp_path: Path) -> None:
    pytest.importorskip("pygls")
    started = LanguageClient(COMMAND, tmp_path, PUSHED)
    assert started.end() == 0
    started.close()


def test_without_pygls_the_command_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.cli.lsp.find_spec", lambda name: None)
    assert main(["lsp"]) == 2
    assert "install it: pip install 'snapline[lsp]'" in capsys.readouterr().err
