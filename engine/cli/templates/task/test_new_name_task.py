"""The task new_name can be hosted."""

from pathlib import Path

from engine import api

TASK = Path(__file__).parent / "new_name.yaml"


def test_the_task_and_its_pipeline_are_valid():
    assert api.check(TASK) == []
