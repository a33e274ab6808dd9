"""Each problem that the engine can report, with its exact message.

A fixture is a pipeline file with one kind of mistake, named after its code (`code.yaml`, or
`code.variant.yaml`). The comment at its head is the complete report of the check. Those in tasks/
are task files, checked together with the task `taken`.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.pipeline import load, parse
from engine.plan import check_spec
from engine.registry import Registry, discover, files_of
from engine.tasks.definition.check import check_names, check_task
from engine.tasks.definition.task_file import load_task

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FIXTURES = sorted(HERE.glob("*.yaml"))
TASK_FIXTURES = sorted((HERE / "tasks").glob("*.yaml"))
MY_SNAPS = "tests.diagnostics.my_snaps"
REPORTING = {"Problem", "Issue", "report", "report_at", "report_lint", "_report"}
SNAPS = [
    "CSVParser",
    "Copy",
    "FileReader",
    "FileWriter",
    "Filter",
    "JSONFormatter",
    "JSONGenerator",
    "JSONParser",
    "Mapper",
    "RemotePythonScript",
    "Union",
]


@pytest.fixture(scope="module")
def registry() -> Registry:
    """A fixed set of snaps, so that new ones do not change the hints."""
    everything = installed()
    return Registry({name: everything[name] for name in SNAPS}, files_of(MY_SNAPS))


def expected(fixture: Path) -> str:
    lines = fixture.read_text("utf-8", errors="replace").splitlines()
    head = [line.removeprefix("#").removeprefix(" ") for line in lines if line.startswith("#")]
    return "\n".join(head)


def codes_in_the_engine() -> set[str]:
    calls = [
        node
        for package in ("engine/pipeline", "engine/plan", "engine/sdk", "engine/tasks", "snaps")
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and node.args
    ]
    return {
        code.value
        for call in calls
        if (getattr(call.func, "attr", "") or getattr(call.func, "id", "")) in REPORTING
        for code in (call.args[0], *(word.value for word in call.keywords if word.arg == "code"))
        if isinstance(code, ast.Constant) and isinstance(code.value, str)
    }


def code_of(fixture: Path) -> str:
    return fixture.name.split(".")[0]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.stem)
def test_a_mistake_is_reported_in_these_words(
    fixture: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)
    problems = check_spec(load(fixture.name), registry)
    report = "\n".join(str(problem) for problem in problems)
    assert report.replace(str(HERE), "{folder}") == expected(fixture)
    assert code_of(fixture) in {problem.code for problem in problems}


@pytest.mark.parametrize("fixture", TASK_FIXTURES, ids=lambda fixture: fixture.stem)
def test_a_mistake_in_a_task_file_is_reported_in_these_words(
    fixture: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE / "tasks")
    file = load_task(fixture.name, {"SET": "x"})
    problems = [
        *check_task(file, registry),
        *check_names([load_task("beside/taken.yaml", {}), file]),
    ]
    assert "\n".join(str(problem) for problem in problems) == expected(fixture)
    assert code_of(fixture) in {problem.code for problem in problems}


def test_every_code_has_a_fixture() -> None:
    assert codes_in_the_engine() == {code_of(fixture) for fixture in (*FIXTURES, *TASK_FIXTURES)}


def test_every_code_has_a_section_in_the_documentation() -> None:
    text = (ROOT / "docs" / "diagnostics.md").read_text()
    sections = re.findall(r"^### `([a-z-]+)`$", text, re.MULTILINE)
    assert sorted(sections) == sorted(codes_in_the_engine())


@cache
def installed() -> Registry:
    return discover()


TEXTS = [fixture.read_text("utf-8", errors="replace") for fixture in FIXTURES]
PIECES = ["", " ", "\t", "'", '"', "{", "}", "[", "]", ":", "#", "*", "&a ", "!x ", "\n", "->", "."]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_mangled_pipeline_never_breaks_the_check(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(TEXTS)).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 4)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    for problem in check_spec(parse(text), installed()):
        assert problem.message
        assert str(problem.where) in str(problem)
