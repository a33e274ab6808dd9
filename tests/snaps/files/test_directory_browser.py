from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine import api
from engine.errors import SnapFailedError

KEYS = [
    *("Name", "Type", "Size (in bytes)", "Owner", "Creation date", "Update date"),
    *("Permissions", "Path"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "b.csv").write_text("12345")
    (folder / "a.txt").write_text("")
    (folder / "deep" / "c.csv").write_text("")
    (folder / "deep" / "deeper" / "d.csv").write_text("")
    return folder


def names(result: Any) -> list[str]:
    return [entry["Name"] for entry in result.output]


def test_an_entry_has_exactly_the_fields_of_the_platform(run_snap: Any, folder: Path) -> None:
    os.utime(folder / "b.csv", (0, 1_500_000_000))
    (folder / "b.csv").chmod(0o640)
    (entry,) = run_snap("DirectoryBrowser", {"directory": "in", "filter": "*.csv"}).output
    assert list(entry) == KEYS
    assert entry | {"Owner": "", "Creation date": ""} == {
        "Name": "b.csv",
        "Type": "file",
        "Size (in bytes)": 5,
        "Owner": "",
        "Creation date": "",
        "Update date": "2017-07-14T02:40:00.000Z",
        "Permissions": "rw-r-----",
        "Path": str(folder / "b.csv"),
    }


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["a.txt", "b.csv", "deep"]),
        ("*.csv", ["b.csv"]),
        ("*.CSV", []),
        ("?.{txt,csv}", ["a.txt", "b.csv"]),
        ("[!a].*", ["b.csv"]),
        ("**/*.csv", ["b.csv", "c.csv", "d.csv"]),
        ("deep/*", ["c.csv", "deeper"]),
        ("**", ["a.txt", "b.csv", "deep", "c.csv", "deeper", "d.csv"]),
    ],
)
def test_the_filter_is_a_pattern(
    run_snap: Any, folder: Path, pattern: str, found: list[str]
) -> None:
    result = run_snap("DirectoryBrowser", {"directory": "in", "filter": pattern})
    assert names(result) == found


def test_each_input_document_is_the_original_of_its_entries(run_snap: Any, folder: Path) -> None:
    given = [{"folder": "in/deep"}, {"folder": "in"}]
    settings = {"directory": "= $folder", "filter": "= '*.csv'"}
    result = run_snap("DirectoryBrowser", settings, given)
    assert [(entry["Name"], entry["original"]) for entry in result.output] == [
        ("c.csv", given[0]),
        ("b.csv", given[1]),
    ]


AGE = """
snaps:
  list: {snap: DirectoryBrowser, directory: in, filter: b.csv}
  age:
    snap: Mapper
    mappings: {$new: "Date.parse($['Creation date']) > Date.now().minusMinutes(60)"}
links: [list -> age]
"""


def test_dates_are_text_that_an_expression_reads(folder: Path) -> None:
    (folder.parent / "p.yaml").write_text(AGE)
    report = api.run(folder.parent / "p.yaml")
    assert report.outputs["age.output"] == [{"new": True}]


def test_nothing_found_is_dropped(run_snap: Any, folder: Path) -> None:
    settings = {"directory": "= $folder", "filter": "*.xml"}
    result = run_snap("DirectoryBrowser", settings, [{"folder": "in"}])
    assert (result.output, result.dropped) == ([], 1)


def test_nothing_found_is_an_empty_document_without_input(run_snap: Any, folder: Path) -> None:
    settings = {"directory": "in", "filter": "*.xml", "ignore_empty_result": False}
    assert run_snap("DirectoryBrowser", settings).output == [{}]


def test_a_missing_folder_is_an_error_with_a_hint(run_snap: Any, folder: Path) -> None:
    settings = {"directory": "= $folder"}
    (error,) = run_snap("DirectoryBrowser", settings, [{"folder": "inn"}], on_error="route").errors
    assert error["error"] == f"cannot list the folder '{folder.parent / 'inn'}'"
    assert error["reason"] == "the folder does not exist"
    assert error["resolution"] == "did you mean 'in'?"


def test_a_file_is_not_a_folder(run_snap: Any, folder: Path) -> None:
    with pytest.raises(SnapFailedError, match=r"cannot list the folder .*b\.csv': it is a file"):
        run_snap("DirectoryBrowser", {"directory": "in/b.csv"})


def test_data_cannot_name_a_folder_outside_the_project(run_snap: Any, folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    with pytest.raises(SnapFailedError, match="part of it comes from data, and it leads out"):
        run_snap("DirectoryBrowser", {"directory": "= $d"}, [{"d": "../.."}], project=folder)


def test_a_link_to_a_folder_is_listed_but_not_followed(run_snap: Any, folder: Path) -> None:
    (folder / "deep" / "up").symlink_to(folder)
    result = run_snap("DirectoryBrowser", {"directory": "in/deep", "filter": "**"})
    assert names(result) == ["c.csv", "deeper", "d.csv", "up"]


def test_a_folder_elsewhere_is_listed_with_full_urls(run_snap: Any) -> None:
    files = fsspec.filesystem("memory")
    files.pipe({"/browsed/a.csv": b"1", "/browsed/sub/b.csv": b"22"})
    settings = {"directory": "memory://browsed", "filter": "**/*.csv"}
    result = run_snap("DirectoryBrowser", settings)
    assert [(entry["Path"], entry["Size (in bytes)"]) for entry in result.output] == [
        ("memory:///browsed/a.csv", 1),
        ("memory:///browsed/sub/b.csv", 2),
    ]


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "zip://a::b.zip"])
def test_what_has_no_folders_is_refused(run_snap: Any, url: str) -> None:
    with pytest.raises(SnapFailedError, match="do not support this"):
        run_snap("DirectoryBrowser", {"directory": url})
