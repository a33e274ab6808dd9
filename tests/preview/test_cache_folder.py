"""A preview keeps its files in folders of its own, wherever the project comes from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.preview import samples

Preview = Callable[..., Any]
PIPELINE = """
snaps:
  s1: {snap: JSONGenerator, documents: [{n: 1}]}
  s2: {snap: Mapper, mappings: {$n: $n + 1}}
links: [s1 -> s2]
"""


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the project, with a file that nobody has changed for years."""
    folder = tmp_path_factory.mktemp("elsewhere")
    folder.chmod(0o755)
    (folder / "preview").mkdir()
    for name in ("photo.jpg", "preview/photo.jpg"):
        (folder / name).write_text("precious")
        os.utime(folder / name, (0, 0))
    return folder


def _contents(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mode for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("link", [".snapline", ".snapline/preview"])
def test_nothing_is_changed_behind_a_link(link: str, preview: Preview, elsewhere: Path) -> None:
    Path(link).parent.mkdir(exist_ok=True)
    Path(link).symlink_to(elsewhere)
    before = _contents(elsewhere)
    shown = preview(PIPELINE)
    assert shown.code == 0
    assert shown.items["s2.output"] == [{"n": 2}]
    assert f"nothing is kept for the next preview: '{Path(link).absolute()}' is a link" in shown.err
    assert _contents(elsewhere) == before


def test_a_preview_behind_a_link_is_not_read(preview: Preview, elsewhere: Path) -> None:
    preview(PIPELINE)
    assert samples("p.yaml") != {}
    Path(".snapline").rename(elsewhere / "moved")
    Path(".snapline").symlink_to(elsewhere / "moved")
    assert samples("p.yaml") == {}
    assert preview(PIPELINE).counts["s1"].get("reused") is None


def test_the_file_for_git_is_not_written_through_a_link(preview: Preview, elsewhere: Path) -> None:
    Path(".snapline").mkdir()
    Path(".snapline/.gitignore").symlink_to(elsewhere / "new")
    preview(PIPELINE)
    assert not (elsewhere / "new").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_a_folder_of_another_user_is_not_used(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview(PIPELINE)
    (file,) = Path(".snapline/preview").iterdir()
    other = file.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    before = file.stat()
    shown = preview(PIPELINE)
    assert shown.counts["s1"].get("reused") is None
    assert "a folder of another user" in shown.err
    assert file.stat() == before
    assert samples("p.yaml") == {}


def test_files_of_others_in_the_folder_stay(preview: Preview) -> None:
    preview(PIPELINE)
    notes = Path(".snapline/preview/notes.txt")
    notes.write_text("mine")
    os.utime(notes, (0, 0))
    preview(PIPELINE)
    assert notes.read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_the_place_of_the_file_blocks_nobody(preview: Preview) -> None:
    preview(PIPELINE)
    (file,) = Path(".snapline/preview").iterdir()
    file.unlink()
    os.mkfifo(file)
    assert samples("p.yaml") == {}
    assert "it is damaged or outdated" in preview(PIPELINE).err
    assert samples("p.yaml") != {}
