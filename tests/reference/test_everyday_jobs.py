"""The pipelines of docs/everyday-jobs.md write the files that the page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import api

PAGE = Path(__file__).parents[2] / "docs/everyday-jobs.md"
BLOCKS = re.findall(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', PAGE.read_text(), re.M | re.S)
PIPELINES = [name for kind, name, _ in BLOCKS if kind == "yaml" and name != "greet.yaml"]
SHOWN = {name: text for kind, name, text in BLOCKS if kind == "text"}


def test_the_page_has_a_result_for_each_pipeline() -> None:
    assert len(PIPELINES) == len(SHOWN) == 7


@pytest.mark.parametrize(("pipeline", "written"), list(zip(PIPELINES, SHOWN, strict=True)))
def test_a_pipeline_of_the_page_writes_what_it_shows(
    pipeline: str, written: str, tmp_path: Path
) -> None:
    for kind, name, text in BLOCKS:
        if kind != "text":
            (tmp_path / name).write_text(text)
    api.run(tmp_path / pipeline)
    assert (tmp_path / written).read_text() == SHOWN[written]
