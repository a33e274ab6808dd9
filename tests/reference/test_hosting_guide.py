"""The pipeline in docs/hosting.md that checks requests refuses what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from engine.testing import run_pipeline

GUIDE = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")


def test_requests_that_break_the_schema_get_422() -> None:
    section = GUIDE.split("### Checking requests")[1]
    found = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    requests: list[Any] = [{"content": {"id": 1}}, {"content": {"id": "x"}}, {"query": {}}]
    run = run_pipeline(found[1], inputs=requests)
    assert run.outputs["accepted.output"] == [{"status": 201, "content": {"accepted": 1}}]
    refused = run.outputs["refused.output"]
    assert [each["status"] for each in refused] == [422, 422]
    assert refused[1]["content"]["why"] == "$: 'content' is a required property"
