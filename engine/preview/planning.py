"""The plan of a part of a pipeline: a snap and all that it needs."""

from __future__ import annotations

import msgspec

from engine.errors import ConfigurationError
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan, Port, compile_spec
from engine.plan.graph import downstream
from engine.registry import Registry
from engine.sdk.settings import nearest_hint
from engine.sdk.views import ERROR_VIEW


def plan_up_to(
    spec: PipelineSpec,
    registry: Registry,
    target: Port | None,
    project: str | None,
    *,
    shows_errors: bool = False,
) -> Plan:
    """The plan of the snaps that the target needs (None: of all).

    The others are disabled, so the snaps that remain keep their views, and parsers keep all fields.
    With `shows_errors` every failed document goes to an error view. Raises ConfigurationError if
    the target does not run or has no such view.
    """
    edges = [(link.target.label, link.source.label) for link in spec.links]
    needed = downstream([target.label], edges) if target else set(spec.snaps)
    snaps = {
        label: msgspec.structs.replace(
            snap,
            mode=snap.mode if label in needed else "disabled",
            on_error="route" if shows_errors else snap.on_error,
        )
        for label, snap in spec.snaps.items()
    }
    plan = compile_spec(msgspec.structs.replace(spec, snaps=snaps), registry, project=project)
    if target is not None:
        _check_target(plan, target)
    return plan.with_all_fields()


def target_of(spec: PipelineSpec, to: str) -> Port | None:
    """The snap and the view (empty for all) of `--to`. Raises ConfigurationError."""
    if not to:
        return None
    label, _, view = (to, "", "") if to in spec.snaps else to.partition(".")
    if label not in spec.snaps:
        names = ", ".join(spec.snaps) or "none"
        hint = nearest_hint(label, spec.snaps) or f"the snaps are: {names}"
        raise ConfigurationError(f"--to: there is no snap {label!r}; {hint}")
    return Port(label, view)


def _check_target(plan: Plan, target: Port) -> None:
    snap = next((snap for snap in plan.snaps if snap.label == target.label), None)
    if snap is None:
        raise ConfigurationError(
            f"--to: the snap {target.label!r} does not run, as it or a snap before it is disabled"
        )
    views = [view.name for view in snap.outputs] + [ERROR_VIEW.name]
    if target.view and target.view not in views:
        hint = nearest_hint(target.view, views) or f"its views are: {', '.join(views)}"
        raise ConfigurationError(
            f"--to: the snap {target.label!r} has no output view {target.view!r}; {hint}"
        )
