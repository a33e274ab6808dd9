"""Plans: check a PipelineSpec against the installed snaps and compile it.

Workers only read plans, and start quickly: what checks and compiles is imported when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.plan.plan import Plan, Port

if TYPE_CHECKING:
    from engine.plan.check import check_spec as check_spec
    from engine.plan.compile import compile_spec as compile_spec

_IMPORTED_WHEN_USED = {"check_spec": "engine.plan.check", "compile_spec": "engine.plan.compile"}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_WHEN_USED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_USED[name]), name)


__all__ = ["Plan", "Port", "check_spec", "compile_spec"]
