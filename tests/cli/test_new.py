"""`engine new` writes files that work at once, and whose tests pass."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import api
from engine.cli import main
from engine.cli.scaffold import TEMPLATES
from engine.schema import KINDS

pytest_plugins = ["pytester"]


@pytest.fixture
def new(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pytester: pytest.Pytester,
) -> Callable[..., list[str]]:
    """Runs `engine new` in an empty folder: the files that it says it has created."""
    assert pytester.path != tmp_path  # it has moved to a folder of its own
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> list[str]:
        assert main(["new", *arguments]) == 0
        lines = capsys.readouterr().out.splitlines()
        return [line.removeprefix("created ") for line in lines if line.startswith("created ")]

    return run


@pytest.fixture
def tests_pass(pytester: pytest.Pytester) -> Callable[[Path], int]:
    """Runs the tests in a folder with pytest: the number of those that pass; none may fail."""

    def run(folder: Path) -> int:
        result = pytester.inline_run("-q", "-p", "no:cacheprovider", f"--rootdir={folder}", folder)
        passed, skipped, failed = result.countoutcomes()
        assert (skipped, failed) == (0, 0)
        return passed

    return run


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["new", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_new_pipeline_runs_and_its_tests_pass(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    assert new("pipeline", "large-orders") == ["large-orders.yaml", "large-orders.test.yaml"]
    assert api.check("large-orders.yaml") == []
    assert api.load("large-orders.yaml").name == "Large orders"
    assert api.run("large-orders.yaml").outputs == {
        "shape.output": [{"order": 2, "label": "BOB pays 300"}]
    }
    assert tests_pass(tmp_path) == 2


def test_a_new_test_passes_for_a_pipeline_that_needs_parameters_and_acts_on_the_outside(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    Path("p.yaml").write_text(
        "parameters: {name: {required: true}}\n"
        "snaps:\n  read: {snap: FileReader, file: = _name}\n"
        "  write: {snap: FileWriter, file: copy.txt}\nlinks: [read -> write]\n"
    )
    new("test", "p.yaml")
    assert tests_pass(tmp_path) == 1


def test_a_new_snap_has_tests_that_pass(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    assert new("snap", "word_count") == ["word_count.py", "test_word_count.py"]
    assert "class WordCount(Snap[WordCountSettings]):" in Path("word_count.py").read_text()
    assert tests_pass(tmp_path) == 2


def test_a_new_task_hosts_a_new_pipeline(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    assert new("task", "orders") == [
        "orders.yaml",
        "test_orders_task.py",
        "orders_pipeline.yaml",
        "orders_pipeline.test.yaml",
    ]
    assert api.check("orders.yaml") == []
    assert tests_pass(tmp_path) == 3


def test_a_new_task_names_a_parameter_of_its_pipeline(
    new: Callable[..., list[str]], tmp_path: Path
) -> None:
    text = (
        "parameters: {key: {secret: true}, least: 10}\nsnaps: {a: {snap: Filter, filter: 'true'}}"
    )
    Path("sales_pipeline.yaml").write_text(text)
    new("task", "sales")
    assert "query parameters such as ?least=VALUE become" in Path("sales.yaml").read_text()
    Path("plain_pipeline.yaml").write_text("snaps: {a: {snap: Filter, filter: 'true'}}")
    new("task", "plain")
    assert "query parameters become" in Path("plain.yaml").read_text()


def test_the_call_of_a_new_task_gives_the_document_that_its_pipeline_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mapper = "{snap: Mapper, open_input: true, mappings: {$hi: $name, $n: $list.length}}"
    Path("greet_pipeline.yaml").write_text(f"snaps: {{greet: {mapper}}}")
    assert main(["new", "task", "greet"]) == 0
    body = """-d '{"list": "VALUE", "name": "VALUE"}'"""
    assert f"curl {body} http://127.0.0.1:8080/tasks/greet " in capsys.readouterr().out
    assert "type: triggered" in Path("greet.yaml").read_text()
    Path("asks_pipeline.yaml").write_text(
        "snaps: {ask: {snap: Mapper, pass_through: true, mappings: {$x: $content.a.b + $method}}}"
    )
    assert main(["new", "task", "asks"]) == 0
    assert """curl -d '{"a": {"b": "VALUE"}}' http""" in capsys.readouterr().out
    text = Path("asks.yaml").read_text()
    assert "type: ultra" in text
    assert "with its body as $content" in text
    Path("rows_pipeline.yaml").write_text("snaps: {read: {snap: CSVParser, open_input: true}}")
    assert main(["new", "task", "rows"]) == 0
    assert "curl --data-binary @FILE http://127.0.0.1:8080/tasks/rows " in capsys.readouterr().out
    assert main(["new", "task", "orders"]) == 0
    assert "curl http://127.0.0.1:8080/tasks/orders " in capsys.readouterr().out


def test_what_comes_next_installs_pytest_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "snap", "Loud"]) == 0
    assert "install pytest" not in capsys.readouterr().out
    monkeypatch.setattr("engine.cli.new.find_spec", lambda name: None)
    assert main(["new", "snap", "Quiet"]) == 0
    assert capsys.readouterr().out.endswith(
        "\n  python -m pip install pytest\n  python -m pytest test_quiet.py\n"
    )


def test_a_new_test_expects_what_validate_finds_today(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    Path("p.yaml").write_text("snaps: {a: {snap: Filter, filter: 'true'}}")
    assert new("test", "p.yaml") == ["p.test.yaml"]
    assert "expect: {diagnostics: []}\n" in Path("p.test.yaml").read_text()
    Path("q.yaml").write_text("snaps: {a: {snap: Sort, sort_paths: [$a], memory: 16}}")
    new("test", "q.yaml")
    assert re.search(r"diagnostics: \[[a-z-]+", Path("q.test.yaml").read_text())
    assert tests_pass(tmp_path) == 2


def test_a_new_project_runs_and_its_tests_pass(
    new: Callable[..., list[str]], tests_pass: Callable[[Path], int], tmp_path: Path
) -> None:
    created = new("project", "shop")
    assert {"shop/pyproject.toml", "shop/.gitignore", "shop/shop_snaps/__init__.py"} <= {*created}
    assert api.run("shop/pipelines/orders.yaml").outputs == {
        "shape.output": [{"order": 2, "label": "BOB pays 300"}]
    }
    assert tests_pass(tmp_path / "shop") == 3


def test_pytest_in_a_new_project_runs_the_tests_of_its_pipelines(
    new: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new("project", "shop")
    options = tomllib.loads(Path("shop/pyproject.toml").read_text())["tool"]["pytest"]
    assert options["ini_options"]["testpaths"] == ["tests", "pipelines", "shop_snaps"]


def test_a_new_project_has_schemas_which_its_files_name(
    new: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = new("project", "shop")
    assert {f"shop/schemas/{kind}.schema.json" for kind in KINDS} <= {*created}
    monkeypatch.chdir(tmp_path / "shop")
    new("task", "late")
    new("pipeline", "pipelines/reports/early")
    for file in Path().glob("[pt]*s/**/*.yaml"):
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
        assert named is not None
        schema = json.loads((file.parent / named[1]).read_text())
        kind = "test file" if ".test." in file.name else file.parts[0].removesuffix("s")
        assert schema["title"] == f"Snapline {kind}"


def test_a_pipeline_outside_a_project_names_no_schema(new: Callable[..., list[str]]) -> None:
    new("pipeline", "orders")
    assert "$schema" not in Path("orders.yaml").read_text()


def test_a_new_snap_of_a_project_needs_new_schemas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["new", "project", "shop"])
    monkeypatch.chdir(tmp_path / "shop")
    capsys.readouterr()
    main(["new", "snap", "Murmur"])
    assert "  engine schema --all schemas   # then editors know its settings\n" in (
        capsys.readouterr().out
    )


def test_a_new_project_may_be_the_current_folder(
    new: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-shop")
    assert "my_shop_snaps/__init__.py" in new("project", ".")
    assert 'name = "my-shop"' in Path("pyproject.toml").read_text()


def test_new_files_go_to_the_folders_of_the_project(
    new: Callable[..., list[str]],
    tests_pass: Callable[[Path], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new("project", "shop")
    monkeypatch.chdir(tmp_path / "shop" / "pipelines")
    assert new("pipeline", "late") == ["late.yaml", "late.test.yaml"]
    monkeypatch.chdir(tmp_path / "shop")
    assert new("snap", "Shout") == ["shop_snaps/shout.py", "tests/test_shout.py"]
    assert new("task", "late") == ["tasks/late.yaml", "tests/test_late_task.py"]
    assert "from shop_snaps.shout import Shout\n" in Path("tests/test_shout.py").read_text()
    monkeypatch.syspath_prepend(str(tmp_path / "shop"))
    assert tests_pass(tmp_path / "shop") == 8


def test_the_next_commands_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["new", "pipeline", "orders"])
    assert capsys.readouterr().out.endswith(
        "\nNext:\n  engine run orders.yaml\n  engine test orders.test.yaml\n"
    )


@pytest.mark.parametrize("existing", ["orders.yaml", "orders.test.yaml"])
def test_nothing_is_overwritten(
    existing: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(existing).write_text("mine")
    assert f"'{existing}' already exists" in refusal(capsys, "pipeline", "orders")
    assert [each.name for each in tmp_path.iterdir()] == [existing]
    assert Path(existing).read_text() == "mine"


def test_a_folder_with_files_is_not_made_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "notes").touch()
    assert "the folder 'shop' is not empty" in refusal(capsys, "project", "shop")


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("pipeline", "a b", "'a b' is not a valid name"),
        ("pipeline", "x/", "'' is not a valid name"),
        ("task", "größe", "'größe' is not a valid name"),
        ("snap", "2fast", "'2fast' is not a name for a snap"),
        ("snap", "csv_parser", "there is already a snap called 'CSVParser'"),
        ("snap", "Json", "would be in json.py, which is a name of Python's own"),
        ("project", "2shop", "'2shop' is not a name for a project"),
        ("project", "class", "'class' is not a name for a project"),
        ("test", "nosuch.yaml", "there is no pipeline file 'nosuch.yaml'"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    kind: str,
    name: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refusal(capsys, kind, name)
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_with_mistakes_gets_no_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text("snaps: {a: {snap: Fliter}}")
    assert "there is no snap called 'Fliter'" in refusal(capsys, "test", "p.yaml")


def test_the_snap_of_the_template_keeps_the_rules(tmp_path: Path) -> None:
    from engine.registry import Registry, files_of
    from engine.testing.conformance import conformance_checks

    sys.path.insert(0, str(TEMPLATES / "snap"))
    try:
        snap = Registry(files=files_of("new_name"))["NewName"]
        for number, check in enumerate(conformance_checks(snap)):
            (tmp_path / str(number)).mkdir()
            check.run(tmp_path / str(number))
    finally:
        sys.path.remove(str(TEMPLATES / "snap"))
        sys.modules.pop("new_name", None)


def test_nothing_is_left_of_files_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("large").mkdir()
    Path("large/a.test.yaml").symlink_to("/nonexistent/folder/a.test.yaml")
    monkeypatch.setattr(Path, "is_symlink", lambda path: False)  # as if it came in between
    assert "cannot write 'large/a.test.yaml'" in refusal(capsys, "pipeline", "large/a")
    assert not Path("large/a.yaml").exists()
