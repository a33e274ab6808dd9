"""Completion of keys, values, links, files and accounts in all kinds of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.language.editing import HEAD, LINKS, chosen, completions, labels

OF_ALL = ["on_error", "mode", "label", "open_input", "open_output", "unsupported"]


def snap(lines: str) -> str:
    return f"{HEAD}  x:\n{lines}{LINKS}"


def test_the_settings_of_a_snap_are_those_it_has_not_yet_the_required_first() -> None:
    assert labels(snap("    snap: Filter\n    ¦\n")) == ["filter", "null_safe_access", *OF_ALL]
    found = labels(snap("    snap: Filter\n    filter: $a\n    on_error: stop\n    ¦\n"))
    assert found == ["null_safe_access", *OF_ALL[1:]]


def test_a_setting_comes_with_its_help() -> None:
    found = completions(snap("    snap: Filter\n    ¦\n"))
    assert found[0].detail == "required"
    assert found[0].documentation.startswith("The condition")
    assert found[1].detail == "default false"


@pytest.mark.parametrize(
    ("lines", "label", "expected"),
    [
        ("    snap: Filter\n    ¦\n", "filter", "    filter: \n"),
        ("    snap: Filter\n    fi¦\n", "filter", "    filter: \n"),
        ("    snap: Filter\n    fi¦: $a\n", "filter", "    filter: $a\n"),
        ("    snap: Mapper\n    ¦\n", "mappings", "    mappings:\n      \n"),
        ("    snap: Sort\n    ¦\n", "sort_paths", "    sort_paths:\n      - \n"),
        ("    ¦\n", "snap", "    snap: \n"),
        ("    snap: Router\n    routes:\n      - ¦\n", "output", "      - output: \n"),
        ("    snap: Router\n    routes:\n      - condition: $a\n        ¦\n", "output",
         "        output: \n"),
        ("    snap: Fil¦\n", "Filter", "    snap: Filter\n"),
        ("    snap: Sort\n    sort_paths:\n      ¦\n", "-", "    sort_paths:\n      - \n"),
        ("    snap:¦\n", "Filter", "    snap: Filter\n"),
        ("    snap:¦ Copy\n", "Filter", "    snap: Filter\n"),
        ("    snap: Filter\n    on_error: ¦\n", "route", "    on_error: route\n"),
        ("    snap: Filter\n    null_safe_access: f¦\n", "true", "    null_safe_access: true\n"),
    ],
)  # fmt: skip
def test_what_is_chosen_is_written_in_the_right_shape(
    lines: str, label: str, expected: str
) -> None:
    assert expected in chosen(snap(lines), label)
    windows = snap(lines).replace("\n", "\r\n")
    assert expected.replace("\n", "\r\n") in chosen(windows, label)


@pytest.mark.parametrize(
    "line",
    [
        "x: {snap: Filter, filter: }¦",
        "x: {snap: Filter,} ¦",
        "x: {}¦",
        "x: {snap: Mapper, mappings: {}¦}",
        "x: {snap: Sort, sort_paths: []¦}",
        "x: {\n    snap: Copy\n  }¦",
    ],
)
def test_nothing_fits_behind_a_closing_bracket(line: str) -> None:
    assert labels(f"{HEAD}  {line}\n{LINKS}") == []
    assert labels(f"{HEAD}  {line}\n  y: {{snap: Mapper}}\n{LINKS}") == []
    assert labels(f"{HEAD}  {line}\n  y:\n    snap: Mapper\n{LINKS}") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [("  x: {snap: Filter, ¦}\n", "  x: {snap: Filter, filter: }\n"),
     ("  x: {snap: Filter, fi¦}\n", "  x: {snap: Filter, filter: }\n"),
     ("  x: {snap: Filter, fi¦\n", "  x: {snap: Filter, filter: \n")],
)  # fmt: skip
def test_settings_between_brackets_stay_on_their_line(line: str, expected: str) -> None:
    assert expected in chosen(f"{HEAD}{line}{LINKS}", "filter")


def test_snaps_come_with_what_they_do() -> None:
    found = {each.label: each for each in completions(snap("    snap: ¦\n"))}
    assert found["Filter"].kind == "snap"
    assert found["Filter"].documentation.startswith("Pass on the documents")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("snap: FileWriter\n    file_action: ¦", ["overwrite", "append", "ignore", "error"]),
        ("snap: Filter\n    null_safe_access: ¦", ["true", "false"]),
        ("snap: Filter\n    mode: ¦", ["validate_and_execute", "execute_only", "disabled"]),
        ("snap: Filter\n    label: ¦", []),
        ("snap: Filter\n    nothing: ¦", []),
    ],
)
def test_values_are_those_that_a_setting_lists(setting: str, expected: list[str]) -> None:
    assert labels(snap(f"    {setting}\n")) == expected


def test_the_keys_of_a_pipeline_are_offered_once() -> None:
    found = labels(f"{HEAD}¦\n")
    assert found == ["description", "libraries", "error_pipeline", "lenient", "links"]


@pytest.mark.parametrize(
    "text",
    [
        "# ¦\n",
        f"{HEAD}  x: {{snap: Filter}} # com¦\n",
        "pipeline: My ¦\nsnaps: {}\n",
        "parameters:\n  day:\n    default: ¦\nsnaps: {}\n",
        "description: Reads ¦\n",
        "description: |\n  Reads\n  ¦\nsnaps: {}\n",
        "description: 'a\n  ¦b'\n",
        f"{HEAD}  x:\n    snap: JSONGenerator\n    text: |\n      ¦\n",
    ],
)
def test_nothing_is_offered_in_comments_and_plain_text(text: str) -> None:
    assert labels(text) == []


TWO = f"{HEAD}  x: {{snap: Filter, filter: $a}}\n  w: {{snap: FileWriter, file: out.txt}}\n"
ROUTER = "  r: {snap: Router, routes: [{condition: $a, output: high}]}\n"


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("  - ¦\n", ["read", "x", "w"]),
        ("  - read -> ¦\n", ["x", "w"]),
        ("  - read -> x\n  - ¦\n", ["x", "w", "read"]),
        ("  - read -> x -> ¦\n", ["w", "read"]),
        ("  - read ¦\n", ["->"]),
        ("  - read.¦\n", ["output", "error"]),
        ("  - read -> x.¦\n", ["input"]),
        ("  - read -> x.¦ -> w\n", ["input"]),
        ("  - nothing.¦\n", []),
    ],
)
def test_labels_and_views_in_links_fit_their_side(links: str, expected: list[str]) -> None:
    assert labels(f"{TWO}links:\n{links}") == expected


def test_what_carries_another_type_comes_last() -> None:
    reader = "  f: {snap: FileReader, file: a.json}\n  p: {snap: JSONParser}\n"
    found = labels(f"{TWO}{reader}links:\n  - f -> ¦\n")
    assert found[:2] == ["w", "p"]


def test_a_new_member_of_a_family_of_views_has_the_next_number() -> None:
    text = f"{TWO}  j: {{snap: Union}}\nlinks:\n  - read -> j.input0\n  - x -> j.¦\n"
    assert labels(text) == ["input1"]


def test_views_that_follow_from_settings_are_offered() -> None:
    assert labels(f"{TWO}{ROUTER}links:\n  - r.¦\n") == ["high", "error"]


def test_a_chosen_label_replaces_the_one_at_the_cursor() -> None:
    text = f"{TWO}links:\n  - read -> re¦ad -> w\n"
    assert "  - read -> x -> w\n" in chosen(text, "x")


def test_a_label_that_links_name_is_offered_as_a_snap() -> None:
    assert labels(f"{HEAD}  ¦\nlinks:\n  - read -> parse\n") == ["parse"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("data/a.json", "scripts/run.py", "scripts/note.txt", "child.yaml", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("parameters: {size: 1}\nsnaps: {a: {snap: Copy}}\n")
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/db.yaml").write_text("account: database\nurl: sqlite://\n")
    (tmp_path / "accounts/login.yaml").write_text("account: basic\nuser: a\n")
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("    snap: FileReader\n    file: ¦\n",
         ["child.yaml", "pyproject.toml", "accounts/", "data/", "scripts/"]),
        ("    snap: FileReader\n    file: data/¦\n", ["a.json"]),
        ("    snap: FileReader\n    file: sldb:///data/¦\n", ["a.json"]),
        ("    snap: FileReader\n    file: https://example.org/¦\n", []),
        ("    snap: FileReader\n    file: nowhere/¦\n", []),
        ("    snap: RemotePythonScript\n    script: scripts/r¦\n", ["run.py"]),
        ("    snap: PipelineExecute\n    pipeline: ¦\n",
         ["child.yaml", "accounts/", "data/", "scripts/"]),
        ("    snap: PipelineExecute\n    pipeline: child.yaml\n    parameters:\n      ¦\n",
         ["size"]),
        ("    snap: SQLSelect\n    account: ¦\n", ["db", "login"]),
    ],
)  # fmt: skip
def test_files_and_accounts_of_the_project_are_offered(
    lines: str, expected: list[str], project: Path
) -> None:
    assert labels(snap(lines), str(project / "pipeline.yaml")) == expected


def test_a_file_is_completed_after_its_folder(project: Path) -> None:
    text = snap("    snap: RemotePythonScript\n    script: scripts/r¦\n")
    found = chosen(text, "run.py", str(project / "pipeline.yaml"))
    assert "    script: scripts/run.py\n" in found
    again = chosen(text.replace("r¦", "no¦te.txt"), "run.py", str(project / "pipeline.yaml"))
    assert "    script: scripts/run.py\n" in again


@pytest.mark.parametrize(
    ("text", "has", "has_not"),
    [
        ("type: ¦\n", ["ultra", "triggered", "scheduled"], ["true"]),
        ("type: ultra\n¦\n", ["pipeline", "instances"], ["type", "schedule"]),
        ("type: scheduled\n¦\n", ["schedule"], ["instances"]),
        ("type: ultra\npipeline: chi¦\n", ["child.yaml"], ["data/a.json"]),
        ("type: ultra\npipeline: child.yaml\nparameters:\n  ¦\n", ["size"], ["type"]),
        ("type: ultra\npipeline: child.yaml\nlimits:\n  ¦\n", ["body", "queue"], ["type"]),
    ],
)
def test_task_files_are_completed(
    text: str, has: list[str], has_not: list[str], project: Path
) -> None:
    found = labels(text, str(project / "tasks.task.yaml"))
    assert [name for name in has if name not in found] == []
    assert [name for name in has_not if name in found] == []


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("account: ¦\n", ["basic"]),
        ("account: basic\n¦\n", ["password"]),
    ],
)
def test_account_files_are_completed(text: str, has: list[str], project: Path) -> None:
    found = labels(text, str(project / "accounts/new.yaml"))
    assert [name for name in has if name not in found] == []


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("¦\n", ["cases", "pipeline"]),
        ("cases:\n  one:\n    ¦\n", ["mocks", "expect", "input"]),
        ("cases:\n  one:\n    mocks:\n      ¦\n", ["a"]),
        ("cases:\n  one:\n    mocks:\n      a:\n        ¦\n", ["fails", "http", "error"]),
        ("cases:\n  one:\n    expect:\n      ¦\n", ["a", "a.error", "failure"]),
        ("cases:\n  one:\n    expect:\n      a:\n        ¦\n", ["equals", "count"]),
        ("cases:\n  one:\n    parameters:\n      ¦\n", ["size"]),
        ("cases:\n  one:\n    allow:\n      - ¦\n", ["a"]),
    ],
)
def test_test_files_are_completed(text: str, has: list[str], project: Path) -> None:
    found = labels(text, str(project / "child.test.yaml"))
    assert [name for name in has if name not in found] == []


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("¦\n", ["pins"]),
        ("pins:\n  ¦\n", ["a"]),
        ("pins:\n  a:\n    ¦\n", ["output0", "error", "file"]),
    ],
)
def test_pin_files_are_completed(text: str, has: list[str], project: Path) -> None:
    found = labels(text, str(project / "child.preview.yaml"))
    assert [name for name in has if name not in found] == []
