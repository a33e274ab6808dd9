"""The error pipeline of a pipeline: its settings, converted and checked."""

from __future__ import annotations

from engine.pipeline.spec import SnapSpec
from engine.plan.children import check_child
from engine.plan.collector import ERROR_PIPELINE, ProblemCollector
from engine.plan.expressions import check_expressions
from engine.plan.plan import ErrorPipeline
from engine.sdk.children import ChildReference
from engine.sdk.conversion import convert


def resolve_error_pipeline(
    collector: ProblemCollector, folder: str, project: str
) -> ErrorPipeline | None:
    """The error pipeline, if the file names one; reports its problems."""
    given = collector.spec.error_pipeline
    if given is None:
        return None
    settings, issues = convert(ErrorPipeline, given)
    for issue in issues:
        where = collector.setting(ERROR_PIPELINE, issue.path, at_key=issue.at_key)
        collector.report(issue.code, where, issue.message, issue.hint, issue.severity)
    if not isinstance(settings, ErrorPipeline):
        return None
    place = collector.setting(ERROR_PIPELINE, ())
    check_expressions(SnapSpec(ERROR_PIPELINE, "", place, given), settings, collector)
    names = frozenset(settings.parameters)
    reference = ChildReference(("pipeline",), settings.pipeline, parameters=names)
    check_child(ERROR_PIPELINE, reference, collector, folder, project)
    return settings
