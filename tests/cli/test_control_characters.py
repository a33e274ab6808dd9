"""What documents, scripts and files contain cannot act on the terminal of the user."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import main
from tests.cli.terminals import Terminal

CLEAR = "\x1b[2J\x9b2J\u202e"
SHOWN = r"\x1b[2J\x9b2J\u202e"
SCRIPT = """
def snaplogic_process(row):
    print("\\x1b[2J\\u009b2J\\u202e", flush=True)
    raise ValueError("\\x1b[2J\\u009b2J\\u202e")
"""


Show = Callable[..., str]


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Runs a command on a terminal, and returns what it has shown: nothing that acts on it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    Path("document.json").write_text('{"a": "\\u001b[2J\\u009b2J\\u202e"}')
    Path("stream.txt").write_text(f"a{CLEAR}\tb\n")
    Path("script.py").write_text(SCRIPT)

    def run(*arguments: str, code: int = 0, is_terminal: bool = True) -> str:
        screen = Terminal() if is_terminal else io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stderr", screen)
            assert main(arguments) == code
        text = screen.getvalue()
        assert not {"\x1b", "\x9b", "\u202e"} & {*text}
        return text

    return run


def write(text: str) -> None:
    Path("p.yaml").write_text(f"pipeline: P\nsnaps:\n  {text}\n")


@pytest.mark.parametrize("command", [("run", "--quiet"), ("preview", "--json")])
def test_a_document_on_a_terminal_is_escaped_as_in_json(
    show: Show, command: tuple[str, ...]
) -> None:
    write("keep: {snap: Filter, filter: 'true'}")
    shown = show(*command, "p.yaml", "--input", "document.json")
    assert r"\u001b[2J\u009b2J\u202e" in shown


def test_a_document_in_a_preview_is_escaped(show: Show) -> None:
    write("keep: {snap: Filter, filter: 'true'}")
    assert SHOWN in show("preview", "p.yaml", "--input", "document.json")


@pytest.mark.parametrize("command", [("run", "--quiet"), ("preview",)])
def test_text_of_a_binary_stream_is_escaped(show: Show, command: tuple[str, ...]) -> None:
    write("read: {snap: FileReader, file: stream.txt}")
    assert f"a{SHOWN}" in show(*command, "p.yaml")


@pytest.mark.parametrize(("command", "is_terminal"), [("run", False), ("preview", True)])
def test_what_a_script_prints_and_raises_is_escaped(
    show: Show, command: str, is_terminal: bool
) -> None:
    write("run: {snap: RemotePythonScript, script: script.py}")
    shown = show(command, "p.yaml", "--input", "document.json", code=1, is_terminal=is_terminal)
    assert f"run | {SHOWN}" in shown
    assert f"ValueError: {SHOWN}" in shown


def test_the_value_of_an_expression_is_escaped(show: Show) -> None:
    shown = show("eval", "$a", "--doc", "document.json")
    assert shown.strip() == r'"\u001b[2J\u009b2J\u202e"'


def test_names_and_differences_of_cases_are_escaped(show: Show) -> None:
    write("keep: {snap: Filter, filter: 'true'}")
    Path("p.test.yaml").write_text(
        'cases:\n  "a\\e[2J\\u202e":\n    input: [{a: "\\e[2J\\x9b2J\\u202e"}]\n'
        "    expect: {output: [{a: b}]}\n"
    )
    shown = show("test", code=1)
    assert r"a\x1b[2J\u202e" in shown
    assert r"\u001b[2J\x9b2J\u202e" in shown


@pytest.mark.parametrize("columns", ["120", "30"])
def test_a_graph_has_no_control_characters(
    show: Show, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    snaps = r"""r: {snap: Router, routes: {a: "$x == '\e[2J\u202e'", b: 'true'}}"""
    Path("p.yaml").write_text(
        f'pipeline: "P\\e[2J"\nsnaps:\n  {snaps}\n'
        '  n: {snap: "No\\e[2JSuch"}\nlinks: [r.a -> n]\n'
    )
    assert r"\x1b[2J" in show("graph", "p.yaml", is_terminal=columns == "30")
    show("graph", "p.yaml", "-o", "p.mmd")
    assert not {"\x1b", "\u202e"} & {*Path("p.mmd").read_text()}
