"""What an import from SnapLogic kept although it is not supported: snaps and single settings.

They are mistakes if they would run, and warnings in a part of the pipeline that is disabled.
"""

from __future__ import annotations

from engine.errors import Severity
from engine.pipeline.spec import SnapSpec
from engine.plan.collector import ProblemCollector
from engine.registry import Registry, SnapClass
from engine.sdk.settings import shown

CLASS_IDS = "com-snaplogic-"
"""How the class id of every snap of SnapLogic's begins."""


def is_class_id(name: str, registry: Registry) -> bool:
    """Whether it is the class id of a snap of SnapLogic's that has no counterpart here."""
    return name.startswith(CLASS_IDS) and name not in registry.by_foreign_id()


def report_unsupported_snap(spec: SnapSpec, collector: ProblemCollector, *, idle: bool) -> None:
    """Report a snap that is kept as SnapLogic stores it; `idle`: it will not run."""
    where = collector.setting(spec.label, ("snap",))
    message = f"SnapLogic's snap {shown(spec.type)} is not supported here"
    hint = (
        "replace it or set 'mode: disabled'; a test can give its output: "
        f"run_pipeline(..., mocks={{{spec.label!r}: [...]}})"
    )
    severity: Severity = "warning" if idle else "error"
    collector.report("unsupported-snap", where, message, hint, severity)


def report_unsupported_settings(
    spec: SnapSpec, snap_class: SnapClass, collector: ProblemCollector, *, idle: bool
) -> None:
    """Report each setting under `unsupported`."""
    reasons = snap_class.foreign.unsupported if snap_class.foreign else {}
    for key in spec.unsupported:
        where = collector.setting(spec.label, ("unsupported", key), at_key=True)
        reason = next((text for name, text in reasons.items() if _covers(name, key)), "")
        what = f"{reason} ({shown(key)})" if reason else f"SnapLogic's setting {shown(key)}"
        message = f"{snap_class.__name__} does not support {what}"
        hint = "remove it from 'unsupported' to run without it"
        severity: Severity = "warning" if idle else "error"
        collector.report("unsupported-setting", where, message, hint, severity)


def _covers(name: str, key: str) -> bool:
    return key == name or key.startswith((f"{name}.", f"{name}[]"))
