"""What completion offers of `pipe` and `snap` is what expressions see in a run."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from engine import api
from engine.language import Workspace, warm_up
from engine.language.expression_help import FACTS
from engine.schema import KINDS
from tests.language.editing import filtered, labels

PIPELINE = """\
snaps:
  one: {snap: JSONGenerator, documents: [{}]}
  names:
    snap: Mapper
    mappings: {$pipe: pipe.keys(), $snap: snap.keys()}
links: [one -> names]
"""


def test_every_fact_of_a_run_is_offered(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (found,) = api.run(tmp_path / "p.yaml").outputs["names.output"]
    assert set(found["pipe"]) == set(FACTS["pipe"])
    assert set(found["snap"]) == set(FACTS["snap"])
    assert set(labels(filtered("pipe.¦"))) == set(FACTS["pipe"])


def test_after_warming_up_no_schema_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: None)
    workspace = Workspace()
    warm_up.warm_up(workspace)
    monkeypatch.setattr("engine.language.schema_places.KINDS", dict.fromkeys(KINDS))
    text = "snaps:\n  a:\n    snap: \n"
    document = workspace.open("p.yaml", text)
    assert document.schemas.keys(document.source.root, ("snaps", "a"))
