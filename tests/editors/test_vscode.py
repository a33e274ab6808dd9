"""The extension of VS Code: what its package.json says is there, and fits the server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "editors/vscode"
SOURCE = (FOLDER / "src/extension.js").read_text()


@pytest.fixture(scope="module")
def package() -> Any:
    return json.loads((FOLDER / "package.json").read_text())


def test_it_has_the_version_of_the_engine(package: Any) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = json.loads((FOLDER / "package-lock.json").read_text())
    assert package["version"] == locked["version"] == project["version"]


def test_each_command_is_declared_and_written(package: Any) -> None:
    declared = {each["command"] for each in package["contributes"]["commands"]}
    registered = set(re.findall(r'registerCommand\("([^"]+)"', SOURCE))
    assert declared == registered
    assert {
        each["command"] for each in package["contributes"]["menus"]["commandPalette"]
    } < declared


def test_it_has_the_commands_of_the_lenses(package: Any) -> None:
    pytest.importorskip("pygls")
    from engine.lsp.requests import LENS_COMMANDS

    declared = {each["command"]: each["title"] for each in package["contributes"]["commands"]}
    for title, command in LENS_COMMANDS.values():
        assert declared[command] == title


def test_each_setting_is_explained_and_used(package: Any) -> None:
    properties = package["contributes"]["configuration"]["properties"]
    for name, each in properties.items():
        assert each.get("description") or each.get("markdownDescription")
        assert "default" in each
        own = name.removeprefix("snapline.")
        assert f'get("{own}")' in SOURCE or own == "trace.server"  # read by the client library


def test_only_versions_of_dependencies_are_locked() -> None:
    assert '"resolved"' not in (FOLDER / "package-lock.json").read_text()


def test_the_source_is_valid_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    checked = subprocess.run([node, "--check", FOLDER / "src/extension.js"], capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()
