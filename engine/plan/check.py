"""All problems of a pipeline, as values."""

from __future__ import annotations

from engine.errors import Problem
from engine.pipeline.spec import PipelineSpec
from engine.plan.resolve import resolve
from engine.registry import Registry


def check_spec(
    spec: PipelineSpec, registry: Registry, *, project: str | None = None
) -> list[Problem]:
    """Errors and warnings in the order of the file, including those found while loading."""
    return resolve(spec, registry, project).problems
