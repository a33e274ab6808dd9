"""The test kit: run one snap, or a complete pipeline, on a few documents in three lines.

    from engine.testing import run_snap

    def test_keeps_what_the_filter_says() -> None:
        result = run_snap("Filter", {"filter": "$a > 1"}, [{"a": 1}, {"a": 2}])
        assert result.output == [{"a": 2}]

`run_pipeline` does the same for a complete pipeline. Installing the engine also adds pytest
fixtures with both names; their project folder is `tmp_path`. Each name is imported when it is used
for the first time: pytest loads the plugin, which is in this package, whenever it starts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.testing.http import CannedHttp
    from engine.testing.kit import SnapRun, run_snap
    from engine.testing.pipeline import PipelineRun, run_pipeline

__all__ = ["CannedHttp", "PipelineRun", "SnapRun", "run_pipeline", "run_snap"]

_MODULES = {
    "CannedHttp": "engine.testing.http",
    "PipelineRun": "engine.testing.pipeline",
    "SnapRun": "engine.testing.kit",
    "run_pipeline": "engine.testing.pipeline",
    "run_snap": "engine.testing.kit",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return found
