"""Checks the pipelines that a pipeline runs, as far as their names are written in the file.

A child is loaded, not resolved: its own mistakes are reported when it is checked itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.errors import ConfigurationError
from engine.hints import Addition, Hint, Replacement
from engine.pipeline.load import load
from engine.pipeline.spec import ParameterSpec, PipelineSpec
from engine.plan.collector import ProblemCollector
from engine.plan.folders import is_file, local_path
from engine.plan.snaps import ResolvedSnap
from engine.sdk.children import PIPELINE_SUFFIXES, ChildReference
from engine.sdk.near_files import nearest_path
from engine.sdk.settings import nearest_hint, shown


def check_children(
    snaps: Mapping[str, ResolvedSnap], collector: ProblemCollector, folder: str, project: str
) -> None:
    """Report missing files, and parameters that do not match those that a child declares."""
    for label, snap in snaps.items():
        for reference in snap.children:
            check_child(label, reference, collector, folder, project)


def check_child(
    label: str,
    reference: ChildReference,
    collector: ProblemCollector,
    folder: str,
    project: str,
) -> None:
    """Check one reference in the settings of a snap, or of the error pipeline."""
    name = reference.pipeline.value
    wanted = local_path(name, folder, project) if name else None
    if wanted is None:
        return  # an expression, or nothing on this machine
    file = _existing(wanted)
    if file is None:
        where = collector.setting(label, reference.path)
        near = nearest_path(wanted)
        hint = f"full path: {shown(str(wanted))}"
        if near:
            hint = Hint(f"did you mean {near.name!r}?", [Replacement(near.name, wanted.name)])
        collector.report("missing-file", where, f"there is no pipeline {shown(name)}", hint)
        return
    try:
        child = load(file)
    except ConfigurationError:
        return  # the run reports it with more detail
    if not child.problems:
        _check_parameters(label, reference, child, collector)


def _existing(wanted: Path) -> Path | None:
    candidates = (wanted.with_name(wanted.name + suffix) for suffix in PIPELINE_SUFFIXES)
    return next(filter(is_file, candidates), None)


def _check_parameters(
    label: str, reference: ChildReference, child: PipelineSpec, collector: ProblemCollector
) -> None:
    declared = {parameter.name: parameter for parameter in child.parameters}
    for name in sorted(reference.parameters - declared.keys()):
        where = collector.setting(label, (*reference.parameters_path, name), at_key=True)
        message = f"the pipeline {shown(child.name)} has no parameter {shown(name)}"
        hint = nearest_hint(name, declared) or f"its parameters: {', '.join(declared) or 'none'}"
        collector.report("unknown-parameter", where, message, hint)
    for parameter in declared.values():
        if _is_missing(parameter, reference):
            where = collector.setting(label, reference.path)
            message = f"the pipeline {shown(child.name)} requires the parameter {parameter.name!r}"
            hint = f"add {parameter.name!r} to {reference.parameters_path[0]!r}"
            path = collector.path_of(label, reference.parameters_path)
            hint = Hint(hint, [Addition(parameter.name, '""', path)])
            collector.report("missing-parameter", where, message, hint)


def _is_missing(parameter: ParameterSpec, reference: ChildReference) -> bool:
    is_given = parameter.name in reference.parameters or reference.inherits
    return parameter.required and parameter.default is None and not is_given
