"""The test kit: run one snap, or a complete pipeline, on a few documents in three lines.

    from engine.testing import run_snap

    def test_keeps_what_the_filter_says() -> None:
        result = run_snap("Filter", {"filter": "$a > 1"}, [{"a": 1}, {"a": 2}])
        assert result.output == [{"a": 2}]

`run_pipeline` does the same for a complete pipeline. Installing the engine also adds pytest
fixtures with both names; their project folder is `tmp_path`.
"""

from engine.testing.http import CannedHttp
from engine.testing.kit import SnapRun, run_snap
from engine.testing.pipeline import PipelineRun, run_pipeline

__all__ = ["CannedHttp", "PipelineRun", "SnapRun", "run_pipeline", "run_snap"]
