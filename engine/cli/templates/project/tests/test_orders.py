"""The task of the orders. Its pipeline is tested in pipelines/orders.test.yaml."""

from pathlib import Path

from engine import api

ROOT = Path(__file__).parents[1]


def test_the_task_and_its_pipeline_are_valid():
    assert api.check(ROOT / "tasks/orders.yaml") == []
