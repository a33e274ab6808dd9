"""Snaps as written, checked against the classes that are installed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from engine.errors import UnusableSnapError
from engine.expressions.steps import Step
from engine.locations import Location
from engine.pipeline.foreign_keys import ORDER_KEYS, SNAP_KEYS
from engine.pipeline.spec import SnapSpec
from engine.plan.accounts import Accounts, check_accounts
from engine.plan.collector import ProblemCollector
from engine.plan.expressions import check_expressions, check_parameters_read
from engine.plan.folders import is_file, local_path
from engine.plan.inspection import inspect_inputs, inspect_snap
from engine.plan.literals import check_literals
from engine.plan.plan import Facts
from engine.plan.unsupported import (
    is_class_id,
    report_unsupported_settings,
    report_unsupported_snap,
)
from engine.registry import Registry, SnapClass
from engine.sdk.children import ChildReference
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.files import WrittenFile
from engine.sdk.settings import Issue, KeyPath, Settings, nearest_hint, shown
from engine.sdk.snap import PythonCode, Snap
from engine.sdk.views import Views

_MAX_LISTED = 12


class ResolvedSnap(msgspec.Struct, frozen=True):
    """A snap as far as it could be resolved; None for what a mistake leaves unknown.

    `parameters` are those that its templates read, and `files` those that must exist: see the
    methods `parameters_read` and `files_needed` of a snap.
    """

    spec: SnapSpec
    snap_class: SnapClass | None = None
    settings: Settings | None = None
    views: Views | None = None
    facts: Facts | None = None
    steps: tuple[Step, ...] = ()
    written: tuple[WrittenFile, ...] = ()
    code: tuple[PythonCode, ...] = ()
    children: tuple[ChildReference, ...] = ()
    parameters: tuple[tuple[KeyPath, str, int, bool], ...] = ()
    files: tuple[tuple[KeyPath, str], ...] = ()


def resolve_snap(
    spec: SnapSpec,
    registry: Registry,
    collector: ProblemCollector,
    accounts: Accounts,
    folder: str,
    project: str,
    *,
    idle: bool = False,
) -> ResolvedSnap:
    """The snap with its class, settings and views; reports its problems.

    An `idle` snap does not run, so it does not matter if it is not supported.
    """
    if is_class_id(spec.type, registry):
        report_unsupported_snap(spec, collector, idle=idle)
        return ResolvedSnap(spec)
    snap_class = _class_of(spec, registry, collector)
    if snap_class is None:
        return ResolvedSnap(spec)
    report_unsupported_settings(spec, snap_class, collector, idle=idle)
    settings, issues = convert(snap_class.settings_class, spec.settings)
    for issue in issues:
        if not (spec.incomplete and issue.code == "missing-setting"):
            _report_issue(spec, snap_class, issue, collector)
    if settings is None:
        check_expressions(spec, convert_partly(snap_class.settings_class, spec.settings), collector)
        return ResolvedSnap(spec, snap_class, None, _fixed_views(snap_class))
    is_valid = check_expressions(spec, settings, collector)
    if spec.incomplete:
        return ResolvedSnap(spec, snap_class, None, _fixed_views(snap_class))
    check_literals(spec, snap_class, settings, collector)
    check_accounts(spec, settings, collector, accounts)
    try:
        inspection = inspect_snap(snap_class, settings)
    except UnusableSnapError as error:
        _report_unusable(spec, error, collector)
        return ResolvedSnap(spec, snap_class)
    check_parameters_read(spec, inspection.parameters, collector)
    for issue in inspection.issues:
        _report_issue(spec, snap_class, issue, collector)
    _check_files(spec, inspection.files, collector, folder, project)
    return ResolvedSnap(
        spec,
        snap_class,
        settings,
        inspection.views,
        inspection.facts,
        inspection.steps if is_valid else (),  # a step must compile, even if it is lenient
        inspection.written,
        inspection.code,
        inspection.children,
        inspection.parameters,
        inspection.files,
    )


def check_inputs(snap: ResolvedSnap, inputs: Sequence[str], collector: ProblemCollector) -> None:
    """Report mistakes in settings that name input views; `inputs` are the linked ones."""
    if snap.snap_class is None or snap.settings is None:
        return
    try:
        issues = inspect_inputs(snap.snap_class, snap.settings, inputs)
    except UnusableSnapError as error:
        _report_unusable(snap.spec, error, collector)
        return
    for issue in issues:
        _report_issue(snap.spec, snap.snap_class, issue, collector)


def _class_of(spec: SnapSpec, registry: Registry, collector: ProblemCollector) -> SnapClass | None:
    try:
        return registry[spec.type]
    except KeyError:
        _report_unknown(spec, registry, collector)
    except UnusableSnapError as error:
        _report_unusable(spec, error, collector)
    return None


def _report_unusable(spec: SnapSpec, error: UnusableSnapError, collector: ProblemCollector) -> None:
    where = collector.setting(spec.label, ("snap",))
    collector.report("unusable-snap", where, error.message, error.hint)


def _report_unknown(spec: SnapSpec, registry: Registry, collector: ProblemCollector) -> None:
    if not spec.type:  # the file does not say, which is reported already
        return
    message, hint = registry.explain_unknown(spec.type)
    collector.report("unknown-snap", collector.setting(spec.label, ("snap",)), message, hint)


def _report_issue(
    spec: SnapSpec, snap_class: SnapClass, issue: Issue, collector: ProblemCollector
) -> None:
    where = collector.setting(spec.label, issue.path, at_key=issue.at_key)
    message, hint = issue.message, issue.hint
    if issue.code in ("unknown-setting", "missing-setting"):
        message = f"{snap_class.__name__}: {message}"
    if issue.code == "unknown-setting" and not hint.startswith("did you mean"):
        cutoff = 0.75 if hint.startswith("rename it") else 0.6
        near = nearest_hint(str(issue.path[-1]), SNAP_KEYS, cutoff)
        own = _foreign_key_hint(spec, issue) or near or _cut_value_hint(spec, issue, where)
        hint = own or _shortened(hint, snap_class)
    collector.report(issue.code, where, message, hint, issue.severity)


def _shortened(hint: str, snap_class: SnapClass) -> str:
    """Instead of a long list of settings, the command that explains them."""
    if hint.count(",") < _MAX_LISTED:
        return hint
    return f"'engine snaps {snap_class.__name__}' explains its settings"


def _foreign_key_hint(spec: SnapSpec, issue: Issue) -> str:
    """Where to write a key of another tool, or one that is a separate snap."""
    name = str(issue.path[-1])
    if len(issue.path) > 1:
        return ""
    value = spec.settings.get(name)
    if isinstance(value, dict) and "snap" in value:
        return f"if {shown(name)} is a separate snap, indent it like {shown(spec.label)}"
    if name not in ORDER_KEYS:
        return ""
    other = value[0] if isinstance(value, list) and value else value
    ends = (spec.label, other) if name == "next" else (other, spec.label)
    named = " -> ".join(map(str, ends)) if isinstance(other, str) else "a -> b"
    return f"write it under 'links:' as '{named}'"


def _cut_value_hint(spec: SnapSpec, issue: Issue, where: Location) -> str:
    """What to do with a key that is the rest of a value: a comma between { } has cut it off."""
    is_between_brackets = "{" in where.source_line[: where.column - 1]
    if spec.settings.get(str(issue.path[0]), "") is not None or not is_between_brackets:
        return ""
    return "if it belongs to the value before it, put that whole value in quotes"


def views_of(spec: SnapSpec, registry: Registry) -> Views | None:
    """The views of a snap; None if its class, or a mistake in its settings, leaves them unknown."""
    try:
        snap_class = registry[spec.type]
        if fixed := _fixed_views(snap_class):
            return fixed
        settings, _ = convert(snap_class.settings_class, spec.settings)
        return None if settings is None else inspect_snap(snap_class, settings).views
    except (KeyError, UnusableSnapError):
        return None


def _fixed_views(snap_class: SnapClass) -> Views | None:
    """The views of a class whose views do not depend on settings."""
    own: Any = snap_class.views_for
    base: Any = Snap.views_for
    return snap_class.views if own.__func__ is base.__func__ else None


def _check_files(
    spec: SnapSpec,
    files: Iterable[tuple[KeyPath, str]],
    collector: ProblemCollector,
    folder: str,
    project: str,
) -> None:
    for path, name in files:
        file = local_path(name, folder, project)
        if file is not None and not is_file(file):
            hint = f"full path: {shown(str(file), limit=500)}"
            where = collector.setting(spec.label, path)
            collector.report("missing-file", where, f"there is no file {shown(name)}", hint)
