"""pytest runs the examples of the snap packages that it collects, once they are installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DOUBLE = '''\
"""Double the field `n` of each document."""

from engine.sdk import Example, Snap


class Double(Snap):
    stateful = False
    examples = (
        Example("two becomes four", given=[{{"n": 2}}], expect=[{{"n": 4}}]),
        Example("three becomes six", given=[{{"n": 3}}], expect=[{{"n": {six}}}]),
    )

    def process(self, document):
        return {{"n": 2 * document["n"]}}
'''

Ran = subprocess.CompletedProcess[str]
RunPytest = Callable[..., Ran]


@pytest.fixture
def run_pytest(tmp_path: Path) -> RunPytest:
    """Run pytest on a package `my_snaps` of the given files."""

    def run(*arguments: str, installed: bool = True, **files: str) -> Ran:
        package = tmp_path / "my_snaps"
        package.mkdir()
        for name, text in files.items():
            (package / f"{name}.py").write_text(text)
        if installed:
            information = tmp_path / "my_snaps-0.1.dist-info"
            information.mkdir()
            (information / "METADATA").write_text("Name: my-snaps\nVersion: 0.1\n")
            (information / "entry_points.txt").write_text("[engine.snaps]\nmine = my_snaps\n")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_examples_of_a_collected_package_are_tests(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", double=DOUBLE.format(six=6))
    assert "PASSED my_snaps/double.py::Double: two becomes four" in ran.stdout
    assert "PASSED my_snaps/double.py::Double: three becomes six" in ran.stdout
    assert ran.returncode == 0


def test_a_wrong_example_fails_and_says_what_it_gave(run_pytest: RunPytest) -> None:
    ran = run_pytest(double=DOUBLE.format(six=7))
    assert "FAILED my_snaps/double.py::Double: three becomes six" in ran.stdout
    assert "Double, 'three becomes six': the view 'output' gave\n  [{'n': 6}]" in ran.stdout
    assert ran.returncode == 1


def test_a_snap_that_cannot_be_loaded_is_an_error_with_file_and_line(
    run_pytest: RunPytest,
) -> None:
    ran = run_pytest("my_snaps", double=DOUBLE.format(six=6) + "\n1 / 0\n")
    assert "the snap Double cannot be loaded: " in ran.stdout
    assert "my_snaps/double.py:16: ZeroDivisionError" in ran.stdout
    assert ran.returncode == 2


def test_all_rules_are_checked_on_request(run_pytest: RunPytest) -> None:
    text = DOUBLE.format(six=6).replace("each document.", "each document")
    ran = run_pytest("my_snaps", "--snap-conformance", double=text)
    assert "PASSED my_snaps/double.py::Double: no input is no failure" in ran.stdout
    assert "must begin with one sentence on a line of its own" in ran.stdout
    assert "1 failed" in ran.stdout


def test_files_that_hold_no_snap_are_left_alone(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", helper="1 / 0", address="class Address(dict): ...")
    assert "no tests ran" in ran.stdout


def test_a_package_that_is_not_installed_is_left_alone(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", installed=False, double=DOUBLE.format(six=7))
    assert "no tests ran" in ran.stdout
