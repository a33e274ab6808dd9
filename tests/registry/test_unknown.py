"""The message for a snap that is not installed depends on what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.registry import Registry, discover
from engine.registry.files import folded
from engine.registry.platform import SNAPS

INSTALLED = {"Filter", "Mapper", "JSONParser", "FileReader", "RemotePythonScript"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    """A few snaps, so that messages do not depend on those that the library gains."""
    return Registry(files=[file for file in discover().files if file.snap_name in INSTALLED])


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Fliter", "'Filter'"),
        ("filter", "'Filter'"),
        ("JsonParser", "'JSONParser'"),
        ("json_parser", "'JSONParser'"),
        ("JSON Parser", "'JSONParser'"),
        ("JSONPraser", "'JSONParser'"),
        ("FileRead", "'FileReader'"),
        ("RemotePython", "'RemotePythonScript'"),
        ("com-snaplogic-snaps-transform-datatransform", "'Mapper'"),
        ("ReadFile", "'FileReader'"),
        ("ParseJSON", "'JSONParser'"),
        ("ScriptPythonRemote", "'RemotePythonScript'"),
    ],
)
def test_a_misspelt_name_gets_the_right_one(registry: Registry, name: str, near: str) -> None:
    message, hint = registry.explain_unknown(name)
    assert message == f"there is no snap called {name!r}"
    assert hint == f"did you mean {near}?"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CSVParser", "CSVParser"),
        ("csv_formatter", "CSVFormatter"),
        ("Join", "Join"),
        ("XML Parser", "XMLParser"),
        ("HttpClient", "HTTPClient"),
        ("com-snaplogic-snaps-transform-csvparser", "CSVParser"),
    ],
)
def test_a_missing_snap_of_snaplogic_is_named_as_such(
    registry: Registry, name: str, meant: str
) -> None:
    message, hint = registry.explain_unknown(name)
    assert message == f"SnapLogic's {meant} is not available here yet"
    assert "did you mean" not in hint


def test_a_misspelt_missing_snap_of_snaplogic_is_suggested(registry: Registry) -> None:
    message, hint = registry.explain_unknown("PipelineExcute")
    assert message == "there is no snap called 'PipelineExcute'"
    assert hint == "did you mean SnapLogic's PipelineExecute? It is not available here yet"


@pytest.mark.parametrize("name", ["Watercolour", "YAMLParser", "X", "Kafka"])
def test_a_name_that_is_like_no_other_gets_no_guess(registry: Registry, name: str) -> None:
    message, hint = registry.explain_unknown(name)
    assert message == f"there is no snap called {name!r}"
    assert hint.startswith(("the snaps are: ", "'engine snaps' lists the installed snaps"))


def test_the_names_of_snaplogics_snaps_include_those_that_ours_stand_for() -> None:
    names = {folded(snap.foreign.name) for _, snap in discover().usable() if snap.foreign}
    assert names - {folded(name) for name in SNAPS} == set()


@pytest.mark.parametrize(
    ("name", "platform", "ours"),
    [
        ("MySQLSelect", "MySQLSelect", "SQLSelect"),
        ("sqlserverInsert", "SQLServerInsert", "SQLInsert"),
        ("JDBCLookup", "JDBCLookup", "SQLLookup"),
    ],
)
def test_a_snap_for_one_kind_of_database_leads_to_the_one_for_all(
    name: str, platform: str, ours: str
) -> None:
    message, hint = discover().explain_unknown(name)
    assert message == f"SnapLogic's {platform} is {ours} here"
    assert hint == f"write 'snap: {ours}'; the account says which database it is"


def test_a_helper_class_in_the_file_of_a_snap_is_not_taken_for_a_snap() -> None:
    """A row of the settings of Aggregate is called GroupByField."""
    message, hint = discover().explain_unknown("GroupByField")
    assert message == "there is no snap called 'GroupByField'"
    assert hint == "did you mean 'GroupByFields'?"


def test_snaps_that_begin_with_the_name_are_both_proposed() -> None:
    _, hint = discover().explain_unknown("GroupBy")
    assert hint == "did you mean 'GroupByN' or 'GroupByFields'?"


@pytest.mark.parametrize("below", ["", "pipelines"])
def test_a_snap_of_the_project_that_is_not_installed_is_found(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.entry-points."engine.snaps"]\nshop = "shop_snaps"\n\n[tool.setuptools]\n'
    )
    (tmp_path / "shop_snaps").mkdir()
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "shop_snaps" / "word_count.py").write_text("raise SystemExit('it was run')\n")
    monkeypatch.chdir(tmp_path / below)
    up = "../" if below else ""
    message, hint = discover().explain_unknown("WordCount")
    assert message == "there is no snap called 'WordCount'"
    assert hint == (
        f"it is in {up}shop_snaps/word_count.py; install its package: "
        f"python -m pip install --editable {(up and '..') or '.'}"
    )
