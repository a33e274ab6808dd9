"""The documents of the last preview are those that completion and hover show."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main
from engine.language import Document, Position, Workspace
from engine.language.complete import complete
from engine.language.hover import hover
from engine.registry import Registry, discover

PIPELINE = """\
snaps:
  read: {snap: FileReader, file: people.json}
  parse: {snap: JSONParser}
  adults:
    snap: Filter
    filter: $age > 18
links: [read -> parse -> adults]
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "people.json").write_text('[{"age": 36.50, "home town": "London"}]')
    (tmp_path / "people.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "people.yaml"


def fields(document: Document) -> list[str]:
    place = document.lines.position(document.text.index("$age") + 1)
    return [each.label for each in complete(document, place) if each.kind == "field"]


def test_fields_and_examples_come_from_it(
    pipeline: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Workspace(registry).open(str(pipeline), PIPELINE)
    assert fields(document) == []
    main(["preview", str(pipeline)])
    assert fields(document) == ["$age", "$['home town']"]
    place = document.lines.position(document.text.index("$age") + 1)
    found = hover(document, place)
    assert found is not None
    assert found.markdown == "**$age**: *number*, such as `36.50`"


def test_a_new_preview_counts_at_once(
    pipeline: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Workspace(registry).open(str(pipeline), PIPELINE)
    main(["preview", str(pipeline)])
    (pipeline.parent / "people.json").write_text('[{"name": "Ada"}]')
    main(["preview", str(pipeline)])
    assert fields(document) == ["$name"]


def test_a_damaged_file_of_previews_is_as_good_as_none(
    pipeline: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["preview", str(pipeline)])
    for file in (pipeline.parent / ".snapline").rglob("*.preview"):
        file.write_bytes(b"damaged")
    assert fields(Workspace(registry).open(str(pipeline), PIPELINE)) == []


def test_outside_of_any_project_there_are_no_samples(registry: Registry) -> None:
    document = Workspace(registry).open("untitled:Untitled-1", PIPELINE)
    assert fields(document) == []
    assert complete(document, Position(0, 0)) is not None
