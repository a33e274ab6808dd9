"""The pipelines in the guide are valid and do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine import api

GUIDE = (Path(__file__).parents[2] / "docs" / "pipeline-files.md").read_text(encoding="utf-8")
PIPELINES = [
    text for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if "snaps:" in text
]
OUTPUTS: list[dict[str, Any]] = [
    {"letter.output": [{"text": "Dear Ann", "gross": 120}, {"text": "Dear Bob", "gross": 60}]},
    {"write.output": ["out-mon.json"]},
    {"tidy.output": [{"orders": [{"id": 1}, {}]}]},
    {"label.output": [{"label": "1 pieces"}], "failed.output": [{"large": 100}]},
    {"size.output": [{"size": "many: more"}]},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    [library] = re.findall(r"```js\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "money.expr").write_text(library)
    return tmp_path


@pytest.mark.parametrize(("text", "expected"), list(zip(PIPELINES, OUTPUTS, strict=True)))
def test_pipelines_of_the_guide_run(text: str, expected: dict[str, Any], folder: Path) -> None:
    file = folder / "pipeline.yaml"
    file.write_text(text)
    assert api.check(file) == []
    outputs = api.run(file).outputs
    found = {view: [shown(item) for item in items] for view, items in outputs.items()}
    assert found == expected


def shown(document: Any) -> Any:
    """The part that identifies a document: the name of a file, or the document that failed."""
    if "filename" in document:
        return Path(document["filename"]).name
    return document.get("what", document)
