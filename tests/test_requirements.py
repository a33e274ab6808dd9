"""The files that say which versions are installed: exact, complete, and free of addresses."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import filterfalse
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.pipeline.case_files import is_test_file

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!]+)")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [
    Requirement(text)
    for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"])
]


def pins(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    found = [PIN.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(found), f"{file} contains lines other than NAME==VERSION"
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_each_requirement_is_pinned_to_a_version_within_its_bounds(wanted: Requirement) -> None:
    version = pins(REQUIREMENTS / "constraints.txt")[canonicalize_name(wanted.name)]
    assert wanted.specifier.contains(version)


def test_the_site_tool_is_pinned_with_all_that_it_needs() -> None:
    assert {"zensical", "markdown", "pymdown-extensions"} <= pins(REQUIREMENTS / "site.txt").keys()


def test_ray_is_pinned_within_its_bounds() -> None:
    pinned = pins(REQUIREMENTS / "ray.txt")
    for wanted in map(Requirement, PROJECT["optional-dependencies"]["ray"]):
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)])


def test_the_libraries_of_the_digit_scripts_are_pinned() -> None:
    pinned = pins(ROOT / "pipelines/constraints.txt")
    required = {"tensorflow", "tensorflow-cpu"}
    for file in (ROOT / "pipelines").rglob("*.py"):
        required |= set(re.findall(r'slt\.ensure\("([^"]+)"', file.read_text()))
    for file in filterfalse(is_test_file, (ROOT / "pipelines").glob("*.yaml")):
        for snap in yaml.safe_load(file.read_text())["snaps"].values():
            required |= {Requirement(text).name for text in snap.get("requirements", ())}
    assert required <= pinned.keys()
    assert pinned["tensorflow"] == pinned["tensorflow-cpu"]


def test_the_lowest_versions_are_the_lower_bounds() -> None:
    printed = subprocess.run(
        [sys.executable, REQUIREMENTS / "lowest.py"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(printed) == len(PROJECT["dependencies"])
    for text, wanted in zip(printed, map(Requirement, PROJECT["dependencies"]), strict=True):
        pin = Requirement(text)
        assert pin.name == wanted.name
        assert f">={str(pin.specifier).removeprefix('==')}" in str(wanted.specifier)


def test_the_commit_hook_runs_what_make_lint_runs() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == ["make lint"]
    assert {repository["repo"] for repository in config["repos"]} == {"local"}


def test_the_changelog_begins_with_the_projects_version_and_dates_every_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\S+)(?: \((\d{4}-\d\d-\d\d)\))?$", text, re.MULTILINE)
    versions = versions[1:] if versions[0][0] == "Unreleased" else versions
    assert versions[0][0] == PROJECT["version"]
    assert all(date for _, date in versions)
