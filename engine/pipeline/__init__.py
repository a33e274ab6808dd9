"""Pipeline files: YAML text becomes a PipelineSpec with the place of every key."""

from engine.pipeline.load import load, parse
from engine.pipeline.spec import PipelineSpec

__all__ = ["PipelineSpec", "load", "parse"]
