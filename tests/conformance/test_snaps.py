"""Every built-in snap follows the rules that documentation, editors and runners rely on."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import snaps
from engine.registry import SnapClass, discover, files_of, snaps_of
from engine.testing.conformance import Check, conformance_checks

SNAPS = list(snaps_of(snaps))
CHECKS = [
    pytest.param(check, id=f"{snap.__name__}: {check.title}")
    for snap in SNAPS
    for check in conformance_checks(snap)
]
TESTS = Path(__file__).parents[1] / "snaps"

every_snap = pytest.mark.parametrize("snap", SNAPS, ids=lambda snap: snap.__name__)


@pytest.mark.parametrize("check", CHECKS)
def test_a_snap_keeps_the_rules(check: Check, tmp_path: Path) -> None:
    check.run(tmp_path)


def test_every_file_outside_shared_folders_contains_a_snap() -> None:
    files = {file.path for file in files_of("snaps") if Path(file.path).name != "__init__.py"}
    assert files == {inspect.getfile(snap) for snap in SNAPS}


@every_snap
def test_there_is_a_test_file_of_the_snaps_name(snap: SnapClass) -> None:
    file = Path(inspect.getfile(snap))
    assert (TESTS / file.parent.name / f"test_{file.stem}.py").is_file()


@every_snap
def test_a_snap_says_since_when_it_is_there_and_has_a_long_help(snap: SnapClass) -> None:
    assert snap.since
    assert snap.about.strip()


def test_no_two_snaps_stand_for_the_same_snap_of_snaplogic() -> None:
    found = discover().by_foreign_id()
    assert found["com-snaplogic-snaps-transform-datatransform"] == "Mapper"
    assert len(found) == sum(len(snap.foreign.class_ids) for snap in SNAPS if snap.foreign)


def test_the_snaps_that_act_on_the_outside_are_these() -> None:
    assert [snap.__name__ for snap in SNAPS if snap.writes] == [
        "EmailSender",
        "FileDelete",
        "FileWriter",
        "HTTPClient",
        "RESTDelete",
        "RESTPatch",
        "RESTPost",
        "RESTPut",
        "RecordReplay",
        "S3Upload",
        "SQLDelete",
        "SQLExecute",
        "SQLInsert",
        "SQLMerge",
        "SQLStoredProcedure",
        "SQLUpdate",
        "TFJSWriter",
        "ZipFileWrite",
    ]
