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


PIPELINE = "pipeline: P\nsnaps:\n  a: {snap: JSONGenerator}\n"
OTHER = "services:\n  web: {image: nginx}\n"


def extension(**wanted: Any) -> Any:
    """What the extension does in a VS Code that is as `wanted`, with nothing on the PATH."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    given = json.dumps({"extension": str(FOLDER / "src/extension.js"), **wanted})
    driver = Path(__file__).parent / "run_extension.js"
    ran = subprocess.run(
        [node, driver], input=given, capture_output=True, text=True, env={"PATH": "/nowhere"}
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def installed(folder: Path) -> str:
    command = folder / ".venv/bin/engine"
    command.parent.mkdir(parents=True)
    command.touch()
    return str(command)


def test_it_starts_the_command_of_the_environment_around_the_folder(tmp_path: Path) -> None:
    command = installed(tmp_path)
    project = tmp_path / "shop"
    assert extension(folder=str(project))["started"] == [command]
    own = installed(project)
    assert extension(folder=str(project))["started"] == [own]
    chosen = {"command": command}
    assert extension(folder=str(project), settings=chosen)["started"] == [command]


def test_a_missing_command_is_explained_once_and_only_to_those_who_need_it(tmp_path: Path) -> None:
    did = extension(folder=str(tmp_path), documents=[OTHER])
    assert did == {"started": [], "messages": [], "commands": []}
    did = extension(folder=str(tmp_path), documents=[OTHER], opened=[OTHER, PIPELINE, PIPELINE])
    (shown,) = did["messages"]
    assert shown["message"].startswith("The command 'engine' was not found. Install it with pip")
    assert shown["actions"] == ["Open Settings", "Retry"]
    did = extension(folder=str(tmp_path), documents=[PIPELINE], chosen="Open Settings")
    assert did["commands"] == [["workbench.action.openSettings", "snapline.command"]]


def test_a_server_that_does_not_start_is_explained_with_its_output(tmp_path: Path) -> None:
    command = installed(tmp_path)
    did = extension(folder=str(tmp_path), documents=[PIPELINE], fails=True, chosen="Show Output")
    (shown,) = did["messages"]
    assert shown["message"].startswith(f"'{command} lsp' does not start.")
    assert did["commands"] == [["output"]]
