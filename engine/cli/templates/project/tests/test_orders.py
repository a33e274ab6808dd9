"""The pipeline and the task of the orders."""

from pathlib import Path

from engine import api

ROOT = Path(__file__).parents[1]


def test_large_orders_get_a_label(run_pipeline):
    orders = '[{"order": 7, "customer": "eve", "amount": 300}, {"order": 8, "amount": 5}]'
    result = run_pipeline(ROOT / "pipelines/orders.yaml", files={"../data/orders.json": orders})
    assert result.output == [{"order": 7, "label": "EVE pays 300"}]


def test_the_data_can_be_read(run_pipeline):
    result = run_pipeline(ROOT / "pipelines/orders.yaml", parameters={"threshold": "0"})
    assert len(result.output) == 2


def test_the_task_and_its_pipeline_are_valid():
    assert api.check(ROOT / "tasks/orders.yaml") == []
