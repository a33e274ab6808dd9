"""Check and compile pipelines from Python."""

from __future__ import annotations

from pathlib import Path

from engine.api.kinds import UserFile, is_export
from engine.errors import ConfigurationError, Problem
from engine.locations import Location
from engine.pipeline import PipelineSpec, load
from engine.pipeline.case_files import is_test_file
from engine.pipeline.load import read
from engine.pipeline.pin_files import pipeline_of
from engine.plan import Plan, check_spec, compile_spec
from engine.registry import Registry, discover

Pipeline = str | Path | PipelineSpec


def check(
    pipeline: Pipeline, registry: Registry | None = None, *, text: str | None = None
) -> list[Problem]:
    """All problems of a pipeline file (YAML or .slp), an account, test or pin file, or a task file
    and its pipeline, including warnings.

    Environment variables that a task file reads need not be set: it is checked, not hosted. With
    `text`, the file is checked as if it held that.
    """
    registry = discover() if registry is None else registry
    if isinstance(pipeline, PipelineSpec):
        return check_spec(pipeline, registry)
    path = str(pipeline)
    if text is None and is_export(path):
        return check_spec(spec_of(path, registry), registry)
    what = "test file" if is_test_file(path) else "pipeline file"
    return _problems_of(UserFile(path, read(path, what) if text is None else text), registry)


def _problems_of(file: UserFile, registry: Registry) -> list[Problem]:
    if file.kind == "test":
        from engine.testing.cases.preparing import prepare
        from engine.testing.cases.reading import parse_tests

        return prepare(parse_tests(file.text, file.path), registry)[1]
    if file.kind == "pins":
        return _problems_of_pins(file, registry)
    if file.kind == "account":
        from engine.plan.accounts import problems_of_account

        return problems_of_account(file.text, file.path, registry)
    if file.kind == "task":
        from engine.tasks.definition.check import check_task
        from engine.tasks.definition.task_file import parse_task

        return check_task(parse_task(file.text, file.path, None), registry)
    return check_spec(file.spec, registry)


def _problems_of_pins(file: UserFile, registry: Registry) -> list[Problem]:
    from engine.preview.pins import parse_pins

    pipeline = pipeline_of(file.path)
    if not Path(pipeline).is_file():
        message = f"there is no pipeline {pipeline!r} for these pins"
        hint = "a pin file is called like its pipeline: orders.preview.yaml beside orders.yaml"
        return [Problem("missing-file", Location(file.path), message, hint)]
    return list(parse_pins(file.text, file.path, spec_of(pipeline, registry), registry).problems)


def compile_plan(
    pipeline: Pipeline, registry: Registry | None = None, *, project: str | None = None
) -> Plan:
    """The checked, compiled pipeline. Raises InvalidPipelineError with all problems."""
    registry = discover() if registry is None else registry
    return compile_spec(spec_of(pipeline, registry), registry, project=project)


def is_task_file(path: str | Path) -> bool:
    """Whether the file is a task file; a file that cannot be read is treated as a pipeline."""
    from engine.tasks.definition import task_file

    try:
        return task_file.is_task_file(path)
    except ConfigurationError:
        return False


def spec_of(pipeline: Pipeline, registry: Registry) -> PipelineSpec:
    """The pipeline of a YAML file, or of one exported from SnapLogic."""
    if isinstance(pipeline, PipelineSpec):
        return pipeline
    if is_export(pipeline):
        from engine.slp.load import load_export  # few pipelines are exports

        return load_export(pipeline, registry)
    return load(pipeline)
