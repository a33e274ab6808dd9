"""The test kit: run one snap on a few documents, in three lines.

    from engine.testing import run_snap

    def test_keeps_what_the_filter_says() -> None:
        result = run_snap("Filter", {"filter": "$a > 1"}, [{"a": 1}, {"a": 2}])
        assert result.output == [{"a": 2}]

Installing the engine also gives pytest the fixture `run_snap`, whose project folder is `tmp_path`.
"""

from engine.testing.http import CannedHttp
from engine.testing.kit import SnapRun, run_snap

__all__ = ["CannedHttp", "SnapRun", "run_snap"]
