"""How expressions see the location of a run: `pipe.plexPath`, `pipe.projectPath`, the run's id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.testing import run_snap


def value_of(expression: str, **options: Any) -> Any:
    (document,) = run_snap("Mapper", {"mappings": {"$x": expression}}, [{}], **options).output
    return document["x"]


def test_the_paths_have_the_platforms_form_without_being_set(tmp_path: Path) -> None:
    project = tmp_path / "sales"
    project.mkdir()
    assert value_of("pipe.plexPath") == "/local/shared/plex"
    assert value_of("pipe.projectPath", project=project) == "/local/projects/sales"


def test_the_paths_distinguish_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPLINE_PLEX_PATH", "/Acme-Prod/shared/Cloud 1")
    monkeypatch.setenv("SNAPLINE_PROJECT_PATH", "/Acme-Prod/sales/orders")
    assert value_of("pipe.plexPath.split('/')[1]") == "Acme-Prod"
    assert value_of("pipe.projectPath") == "/Acme-Prod/sales/orders"


@pytest.mark.parametrize("path", ["prod", "/prod", "/prod/shared/", "//shared/plex", "a/b/c"])
def test_a_path_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("SNAPLINE_PLEX_PATH", path)
    with pytest.raises(ConfigurationError, match="must look like /org/space/plex"):
        value_of("pipe.plexPath")


def test_the_id_of_a_run_begins_with_that_of_the_organisation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = value_of("pipe.ruuid"), value_of("pipe.ruuid")
    monkeypatch.setenv("SNAPLINE_PLEX_PATH", "/other/shared/plex")
    third = value_of("pipe.ruuid")
    assert all(re.fullmatch(r"[0-9a-f]{24}_[0-9a-f-]{36}", found) for found in (first, third))
    assert first != second
    assert first[:24] == second[:24] != third[:24]
