"""new_name.yaml

To run it, add a test such as

    def test_does_what_it_should(run_pipeline):
        result = run_pipeline(PIPELINE, inputs=[...], parameters={...}, mocks={...})
        assert result.output == [...]

`inputs` are the documents of an open input. `mocks` maps the label of a snap to the documents that
it puts out instead of doing its work: use it for what reads or writes outside of the pipeline.
"""

from pathlib import Path

from engine import api

PIPELINE = Path(__file__).parent / "new_name.yaml"


def test_is_valid_and_has_the_openings_that_its_callers_use():
    plan = api.compile_plan(PIPELINE)
    assert [str(port) for port in plan.open_inputs] == ["open_inputs"]
    assert [str(port) for port in plan.open_outputs] == ["open_outputs"]
