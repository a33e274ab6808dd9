"""docs/architecture.md lists the existing packages in the order of the import contracts; sizes."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text()


def test_the_page_lists_the_packages_in_the_order_of_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [
        each["layers"] for each in contracts["contracts"] if each.get("containers") == ["engine"]
    ]
    listed = re.findall(r"^\| `engine\.(\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [name for layer in layers for name in layer.split(" | ")]


def test_every_package_of_the_engine_is_on_the_page() -> None:
    listed = set(re.findall(r"^\| `engine\.(\w+)` \|", PAGE, re.MULTILINE))
    existing = {path.stem for path in (ROOT / "engine").glob("[!_]*.py")} | {"__main__"}
    existing |= {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert listed == existing


def test_the_files_that_the_page_names_exist() -> None:
    named = re.findall(r"`((?:plan|run|script|tasks)/\w+\.py)`", PAGE)
    assert named
    assert [name for name in named if not (ROOT / "engine" / name).is_file()] == []
    links = re.findall(r"\]\(([\w./-]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


def test_the_parts_of_hosting_stay_small() -> None:
    """A file of engine/tasks has 300 lines at most, a class 20 methods."""
    files = list((ROOT / "engine" / "tasks").rglob("*.py"))
    texts = {file: file.read_text() for file in files}
    assert [file.name for file, text in texts.items() if text.count("\n") > 300] == []
    classes = [
        node
        for text in texts.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    ]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert [
        each.name
        for each in classes
        if sum(isinstance(member, functions) for member in each.body) > 20
    ] == []
