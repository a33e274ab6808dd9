"""Check and compile pipelines from Python."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError, Problem
from engine.pipeline import PipelineSpec, load
from engine.plan import Plan, check_spec, compile_spec
from engine.registry import Registry, discover

Pipeline = str | Path | PipelineSpec


def check(pipeline: Pipeline, registry: Registry | None = None) -> list[Problem]:
    """All problems of a pipeline file (YAML or .slp), an account file, a test file, or a task file
    and its pipeline, including warnings.

    Environment variables that a task file reads need not be set: it is checked, not hosted.
    """
    registry = discover() if registry is None else registry
    if not isinstance(pipeline, PipelineSpec):
        from engine.pipeline.account_file import is_account_file
        from engine.pipeline.case_files import is_test_file
        from engine.plan.accounts import problems_of_account

        if is_test_file(pipeline):
            return _problems_of_tests(pipeline, registry)
        if is_account_file(pipeline):
            return problems_of_account(pipeline, registry)
    if not isinstance(pipeline, PipelineSpec) and is_task_file(pipeline):
        from engine.tasks.files.check import check_task
        from engine.tasks.files.task_file import load_task

        return check_task(load_task(pipeline, None), registry)
    return check_spec(spec_of(pipeline, registry), registry)


def _problems_of_tests(path: str | Path, registry: Registry) -> list[Problem]:
    from engine.testing.cases.preparing import prepare
    from engine.testing.cases.reading import load_tests

    return prepare(load_tests(path), registry)[1]


def compile_plan(
    pipeline: Pipeline, registry: Registry | None = None, *, project: str | None = None
) -> Plan:
    """The checked, compiled pipeline. Raises InvalidPipelineError with all problems."""
    registry = discover() if registry is None else registry
    return compile_spec(spec_of(pipeline, registry), registry, project=project)


def is_task_file(path: str | Path) -> bool:
    """Whether the file is a task file; a file that cannot be read is treated as a pipeline."""
    from engine.tasks.files import task_file

    try:
        return task_file.is_task_file(path)
    except ConfigurationError:
        return False


def spec_of(pipeline: Pipeline, registry: Registry) -> PipelineSpec:
    """The pipeline of a YAML file, or of one exported from SnapLogic."""
    if isinstance(pipeline, PipelineSpec):
        return pipeline
    if str(pipeline).lower().endswith(".slp"):
        from engine.slp.load import load_export  # few pipelines are exports

        return load_export(pipeline, registry)
    return load(pipeline)
