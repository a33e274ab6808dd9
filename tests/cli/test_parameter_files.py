"""Values of parameters from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
parameters: {first: {}, second: {default: "2"}}
snaps: {show: {snap: Mapper, mappings: {$first: _first, $second: _second}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    return tmp_path


def test_a_map_gives_every_value_as_it_is_written(project: Path, engine: Any) -> None:
    (project / "values.yaml").write_text("first: 1.10\nsecond: 'two words'\n")
    ran = engine("run", "p.yaml", "--param-file", "values.yaml", "--quiet")
    assert ran.stdout == '{"first":"1.10","second":"two words"}\n'


def test_lines_may_hold_other_things_too(project: Path, engine: Any) -> None:
    (project / ".env").write_text("# for all\nexport first='a=b'\nOTHER=x\n\nsecond=\"q\"\n")
    ran = engine("run", "p.yaml", "--param-file", ".env", "--quiet")
    assert ran.stdout == '{"first":"a=b","second":"q"}\n'


def test_an_option_takes_precedence_and_a_later_file_over_an_earlier_one(
    project: Path, engine: Any
) -> None:
    (project / "a.json").write_text('{"first": "a", "second": "a"}')
    (project / "b.json").write_text('{"second": "b"}')
    files = ("--param-file", "a.json", "--param-file", "b.json")
    ran = engine("run", "p.yaml", *files, "--param", "first=c", "--quiet")
    assert ran.stdout == '{"first":"c","second":"b"}\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "x.yaml",
            "first: [1]\n",
            "1:8  the parameter 'first' must be a string or a number",
        ),
        ("x.yaml", "- first\n", "x.yaml: expected a map of parameters to values"),
        ("x.yaml", "first: {\n", "yaml-error"),
        ("x.yaml", "third: 3\n", "the pipeline has no parameter 'third'"),
        ("x.env", "first=1\nsecond\n", "x.env:2  expected NAME=value, got 'second'"),
        ("x.env", None, "there is no parameter file 'x.env'"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    project: Path, engine: Any, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (project / name).write_text(text)
    ran = engine("run", "p.yaml", "--param-file", name)
    assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr


def test_captured_parameters_are_in_the_report(project: Path, engine: Any) -> None:
    (project / "p.yaml").write_text(PIPELINE.replace("first: {}", "first: {capture: true}"))
    engine("run", "p.yaml", "--param", "first=x", "--report", "report.json")
    assert json.loads((project / "report.json").read_text())["parameters"] == {"first": "x"}
