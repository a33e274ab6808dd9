"""docs/architecture.md lists the packages that there are, in the order that the contracts hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text()


def test_the_packages_on_the_page_are_the_layers_in_their_order() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    listed = re.findall(r"^\| `engine\.(\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [name for layer in layers for name in layer.split(" | ")]


def test_every_package_of_the_engine_is_on_the_page() -> None:
    listed = set(re.findall(r"^\| `engine\.(\w+)` \|", PAGE, re.MULTILINE))
    there = {path.stem for path in (ROOT / "engine").glob("[!_]*.py")} | {"__main__"}
    there |= {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert listed == there


def test_the_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"`((?:plan|run|script|tasks)/\w+\.py)`", PAGE)
    assert named
    assert [name for name in named if not (ROOT / "engine" / name).is_file()] == []
    links = re.findall(r"\]\(([\w./-]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
