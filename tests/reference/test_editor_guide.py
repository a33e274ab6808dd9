"""The guide about editors says what the server and `engine format` do."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from engine.cli import main

GUIDE = (Path(__file__).parents[2] / "docs/editor.md").read_text(encoding="utf-8")


def code(language: str, part: str) -> str:
    """The first code of a section in a language."""
    section = GUIDE.partition(f"\n## {part}\n")[2]
    found = re.search(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert found is not None, part
    return found[1]


def test_the_check_of_the_format_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, output = code("", "Formatting from the command line").partition("\n")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines/orders.yaml").write_text("snaps:\n    a: {snap: Copy}\n")
    monkeypatch.chdir(tmp_path)
    assert main(command.removeprefix("$ engine ").split()) == 1
    assert capsys.readouterr().out == output


def test_each_editor_starts_the_server() -> None:
    assert 'cmd = { "engine", "lsp" }' in code("lua", "Neovim")
    server = tomllib.loads(code("toml", "Helix"))["language-server"]["snapline"]
    assert [server["command"], *server["args"]] == ["engine", "lsp"]
    assert '("engine" "lsp")' in code("lisp", "Emacs")


def test_what_the_server_does_is_in_the_table() -> None:
    pytest.importorskip("pygls")
    from lsprotocol import types

    from engine.lsp.server import create_server

    features = create_server().protocol.fm.features
    for method in (
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.TEXT_DOCUMENT_COMPLETION,
        types.TEXT_DOCUMENT_HOVER,
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.TEXT_DOCUMENT_DEFINITION,
        types.TEXT_DOCUMENT_REFERENCES,
        types.TEXT_DOCUMENT_RENAME,
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        types.WORKSPACE_SYMBOL,
        types.TEXT_DOCUMENT_FORMATTING,
    ):
        assert method in features
