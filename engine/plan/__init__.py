"""Plans: check a PipelineSpec against the installed snaps and compile it."""

from engine.plan.check import check_spec
from engine.plan.compile import compile_spec
from engine.plan.plan import Plan, Port

__all__ = ["Plan", "Port", "check_spec", "compile_spec"]
