"""What ends a command is told in lines that fit the terminal."""

from __future__ import annotations

import argparse
import sys

import pytest

from engine.cli.errors import run_command
from engine.errors import ConfigurationError
from tests.cli.terminals import Terminal


def refuse(_: argparse.Namespace) -> int:
    raise ConfigurationError("the folder 'shop' is not empty; choose another name for it")


def test_an_error_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run_command(refuse, argparse.Namespace()) == 2
    assert terminal.getvalue().splitlines() == [
        "engine: the folder 'shop' is not empty;",
        "    choose another name for it",
    ]


def test_an_error_is_one_line_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert run_command(refuse, argparse.Namespace()) == 2
    assert capsys.readouterr().err.count("\n") == 1
