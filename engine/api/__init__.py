"""The embedding API: load, check, compile and run pipelines, and evaluate expressions, from Python.

from engine import api

report = api.run("pipelines/model_testing.yaml", parameters={"model": "models/digits.json"})
print(report.outputs)

Each function is imported when it is used for the first time: whoever only evaluates or checks needs
no runtime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.api.checking import check, compile_plan, is_task_file
    from engine.api.evaluation import evaluate
    from engine.api.running import run, start
    from engine.pipeline import load

__all__ = ["check", "compile_plan", "evaluate", "is_task_file", "load", "run", "start"]

_MODULES = {
    "check": "engine.api.checking",
    "compile_plan": "engine.api.checking",
    "evaluate": "engine.api.evaluation",
    "is_task_file": "engine.api.checking",
    "load": "engine.pipeline",
    "run": "engine.api.running",
    "start": "engine.api.running",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return function
