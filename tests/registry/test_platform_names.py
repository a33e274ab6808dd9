"""A class id of the platform belongs to one snap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.sdk import Document, Foreign, Snap
from tests.run.flowing import registry_with

EXPORT = {
    "class_id": "com-snaplogic-pipeline_9",
    "class_version": 9,
    "property_map": {"info": {"label": {"value": "Empty"}}},
    "snap_map": {},
    "link_map": {},
}


class Sieve(Snap):  # type: ignore[type-arg]
    foreign = Foreign("com-snaplogic-snaps-flow-filter", "Filter")

    def process(self, document: Document) -> Document:
        return document


def test_two_snaps_that_claim_one_class_id_are_both_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = registry_with(Sieve)
    monkeypatch.setattr("engine.cli.validate.discover", lambda: registry)
    file = tmp_path / "empty.slp"
    file.write_text(json.dumps(EXPORT))
    assert main(["validate", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("engine: two snaps claim to be com-snaplogic-snaps-flow-filter: ")
    assert "Filter (" in said
    assert f"Sieve ({__file__})" in said
    assert said.endswith("; change `foreign` of one of them\n")
