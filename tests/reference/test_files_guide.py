"""The pipelines in the guides to files and to the Script snap run and do what these say."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine import api
from engine.registry import discover
from tests.snaps.files.conftest import MemoryS3, s3

DOCS = Path(__file__).parents[2] / "docs"
ORDERS = '{"id":"1","what":"nuts"}\n{"id":"2","what":"bolts"}\n'

__all__ = ["s3"]


def files_of(guide: str, project: Path) -> None:
    """Write the files of a guide, which are named in their first lines."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    for name, content in re.findall(r"```(?:yaml|python)\n# (\S+)\n(.*?)```", text, re.DOTALL):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(content)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming/a.csv").write_text("id,what\n1,nuts\n")
    (tmp_path / "incoming/b.csv").write_text("id,what\n2,bolts\n")
    (tmp_path / "incoming/notes.txt").write_text("not an order")
    files_of("files.md", tmp_path)
    return tmp_path


def test_all_files_of_a_folder_become_one(project: Path) -> None:
    api.run(project / "merge.yaml")
    assert (project / "orders.jsonl").read_text() == ORDERS


def test_files_are_deleted_when_their_run_has_succeeded(project: Path) -> None:
    (project / "incoming/c.csv").write_text('id,what\n"3,never closed\n')
    with pytest.raises(
        api.EngineError if hasattr(api, "EngineError") else Exception, match="quote"
    ):
        api.run(project / "inbox.yaml")
    assert (project / "inbox.jsonl").read_text() == ORDERS
    left = sorted(path.name for path in (project / "incoming").iterdir())
    assert left == ["c.csv", "notes.txt"]


def test_an_archive_is_packed_and_unpacked(project: Path) -> None:
    api.run(project / "pack.yaml")
    assert zipfile.ZipFile(project / "orders.zip").namelist() == ["a.csv", "b.csv"]
    api.run(project / "unpack.yaml")
    assert (project / "unpacked/b.csv").read_text() == "id,what\n2,bolts\n"


def test_files_are_uploaded(project: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    api.run(project / "upload.yaml")
    assert s3.cat("/orders/new/a.csv") == b"id,what\n1,nuts\n"
    assert MemoryS3.opened[-1]["client_kwargs"] == {"endpoint_url": "http://localhost:9000"}
    assert fsspec.get_filesystem_class("s3") is MemoryS3


def test_every_snap_of_the_family_is_in_the_guide() -> None:
    named = set(re.findall(r"\[`(\w+)`\]", (DOCS / "files.md").read_text(encoding="utf-8")))
    files = {name for name, snap in discover().items() if "snaps.files" in str(snap)}
    assert files - {"TFJSWriter"} <= named


def test_the_script_of_the_guide_runs(tmp_path: Path) -> None:
    files_of("scripts.md", tmp_path)
    api.run(tmp_path / "totals.yaml")
    assert (tmp_path / "totals.jsonl").read_text() == '{"id":1,"total":10.00}\n'
    assert '"error":"a field is missing"' in (tmp_path / "errors.jsonl").read_text()
