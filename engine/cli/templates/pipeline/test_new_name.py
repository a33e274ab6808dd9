"""new_name.yaml keeps the large orders, and gives each a label."""

from pathlib import Path

PIPELINE = Path(__file__).parent / "new_name.yaml"


def test_large_orders_get_a_label(run_pipeline):
    result = run_pipeline(PIPELINE)
    assert result.output == [{"order": 2, "label": "BOB pays 300"}]


def test_the_threshold_is_a_parameter(run_pipeline):
    orders = [{"order": 7, "customer": "eve", "amount": 30}]
    result = run_pipeline(PIPELINE, parameters={"threshold": "20"}, mocks={"orders": orders})
    assert result.output == [{"order": 7, "label": "EVE pays 30"}]
