"""`engine validate` takes files and folders, and reports to people and programs."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len, set_cell_size

from tests.cli.test_display import run_on_terminal

GOOD = "snaps: {a: {snap: Mapper, mappings: {$b: 1}}}"
WRONG = "snaps:\n  a: {snap: Maper}\n"
EXPORT = json.dumps(
    {
        "class_id": "com-snaplogic-pipeline_9",
        "class_version": 9,
        "property_map": {"info": {"label": {"value": "Orders"}}},
        "snap_map": {
            "one": {
                "class_id": "com-snaplogic-snaps-unknown-thing",
                "class_version": 1,
                "property_map": {"info": {"label": {"value": "Thing"}}},
            }
        },
        "link_map": {},
    }
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "flows/good.yaml": GOOD,
        "flows/deep/wrong.yml": WRONG,
        "flows/.hidden/skipped.yaml": WRONG,
        "flows/compose.yaml": "services: {web: {image: nginx}}",
        "flows/tasks/nightly.yaml": "type: triggered\npipeline: ../good.yaml\n",
        "empty/readme.txt": "nothing",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_folder_means_all_pipelines_and_tasks_in_it(engine: Any, project: Path) -> None:
    done = engine("validate", "flows")
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "flows/deep/wrong.yml: 1 error",
        "flows/good.yaml: ok",
        "flows/tasks/nightly.yaml: ok",
    ]


def test_a_folder_without_pipelines_is_a_mistake(engine: Any, project: Path) -> None:
    done = engine("validate", "empty")
    assert done.returncode == 2
    assert done.stderr == (
        "engine: the folder 'empty' contains no pipeline, task or account files\n"
    )


def test_files_in_a_folder_that_are_skipped_are_named(engine: Any, tmp_path: Path) -> None:
    for name, text in {
        "a.yaml": GOOD,
        "b.yamll": GOOD,
        "c.ymal": "some notes",
        "e.yml": "",
        "f/g.yaml": "snap: {a: {snap: Mapper}}",
    }.items():
        (tmp_path / "flows" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "flows" / name).write_text(text)
    done = engine("validate", "flows", "--format", "json")
    assert (done.returncode, done.stdout) == (0, "[]\n")
    assert done.stderr.splitlines() == [
        "flows/b.yamll: skipped, because of its extension '.yamll'; rename it to b.yaml",
        "flows/e.yml: skipped, the file is empty",
        "flows: skipped one YAML file without a 'snaps:' line: flows/f/g.yaml",
    ]


def test_exports_in_a_folder_are_checked_as_they_can_be_run(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "orders.slp").write_text(EXPORT)
    done = engine("validate", "flows")
    assert (done.returncode, done.stdout) == (2, "flows/orders.slp: 1 error\n")
    assert "unsupported-snap" in done.stderr


def test_only_some_of_many_files_of_other_programs_are_named(engine: Any, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text("services: {}")
    done = engine("validate", ".")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        ".: skipped 5 YAML files without a 'snaps:' line: 0.yaml, 1.yaml, 2.yaml and 2 more",
        "engine: the folder '.' contains no pipeline, task or account files",
    ]


def test_programs_get_json(engine: Any, project: Path) -> None:
    done = engine("validate", "--format", "json", "flows/good.yaml", "flows/deep/wrong.yml")
    assert done.returncode == 2
    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        {
            "file": "flows/deep/wrong.yml",
            "line": 2,
            "column": 13,
            "end_column": 18,
            "code": "unknown-snap",
            "severity": "error",
            "message": "there is no snap called 'Maper'",
            "hint": "did you mean 'Mapper'?",
        }
    ]
    assert engine("validate", "--format", "json", "flows/good.yaml").stdout == "[]\n"


def test_github_gets_annotations(engine: Any, project: Path) -> None:
    done = engine("validate", "--format", "github", "flows/deep/wrong.yml", "no,where.yaml")
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "::error file=flows/deep/wrong.yml,line=2,col=13,endColumn=18,title=unknown-snap"
        "::there is no snap called 'Maper'%0Ahint: did you mean 'Mapper'?",
        "::error file=no%2Cwhere.yaml,line=1,col=1,endColumn=2,title=missing-file"
        "::there is no pipeline file 'no,where.yaml'",
    ]


def test_a_terminal_gets_colours_unless_declined(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    _, seen = run_on_terminal(project, "validate", "flows/deep/wrong.yml", keep_colours=True)
    assert "\x1b[31munknown-snap\x1b[0m" in seen
    monkeypatch.setenv("NO_COLOR", "1")
    _, seen = run_on_terminal(project, "validate", "flows/deep/wrong.yml", keep_colours=True)
    assert "\x1b" not in seen
    assert "unknown-snap" in seen


@pytest.mark.parametrize("width", [40, 80])
def test_in_a_narrow_terminal_the_carets_stay_below_their_place(
    width: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = "'😀 数' + $name.trimm() + ' and so on, to the end of the line, and over it' + _leest"
    (project / "long.yaml").write_text(
        f'snaps:\n  a:\n    snap: Mapper\n    mappings:\n      $text: "{text}"\n'
    )
    _, seen = run_on_terminal(project, "validate", "long.yaml", width=width)
    lines = seen.replace("\r", "").splitlines()
    marked = []
    for line, carets in pairwise(lines):
        assert cell_len(line) <= width
        if "^" in carets:
            start, length = carets.index("^"), carets.count("^")
            marked.append(set_cell_size(line, start + length)[-length:])
    assert marked == ["trimm", "_leest"]
    assert ("\n    is no method `trimm`" in "\n".join(lines)) == (width == 40)


def test_a_pipe_gets_the_lines_as_they_are(engine: Any, project: Path) -> None:
    (project / "long.yaml").write_text(
        f"snaps:\n  a: {{snap: Filter, filter: \"$a == '{'x' * 90}' && len($b)\"}}\n"
    )
    errors = engine("validate", "long.yaml").stderr
    assert "x" * 90 in errors
    assert "…" not in errors
