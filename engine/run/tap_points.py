"""What a tap is asked to show: views such as `SNAP` or `SNAP.VIEW`, perhaps with wildcards, and a
condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from engine.errors import ConfigurationError
from engine.expressions import analyse, compile_expression
from engine.plan.plan import Plan, PlannedSnap, Port
from engine.sdk.settings import nearest_hint
from engine.sdk.views import ERROR_VIEW

_WILDCARDS = frozenset("*?[")


def tap_points(patterns: Iterable[str], plan: Plan) -> list[Port]:
    """The views to watch, in the order of the pattern and the plan.

    A snap alone means all that leaves it, errors included, or what enters it if nothing does. An
    input with a link is the view at the other end of it. Raises ConfigurationError if a pattern
    matches nothing.
    """
    points = (port for pattern in patterns for port in _points(pattern, plan))
    return list(dict.fromkeys(points))


def check_condition(text: str, plan: Plan) -> None:
    """Raises ConfigurationError if the condition is not valid in the pipeline."""
    parameters = [parameter.name for parameter in plan.parameters]
    found = analyse(text, parameters)
    if found.errors:
        raise ConfigurationError(f"the filter is not valid: {found.errors[0]}")
    for name in found.parameters:
        if name not in parameters:
            hint = nearest_hint(f"_{name}", [f"_{each}" for each in parameters])
            unknown = f"the filter is not valid: the pipeline has no parameter '_{name}'"
            raise ConfigurationError(f"{unknown}; {hint}" if hint else unknown)
    for name in found.libraries:
        if name not in {library.name for library in plan.libraries}:
            raise ConfigurationError(
                f"the filter is not valid: the pipeline imports no library {name!r}"
            )
    if compile_expression(text).mutates:
        raise ConfigurationError(f"the filter {text!r} changes the document; compare only")


def _points(pattern: str, plan: Plan) -> list[Port]:
    label, dot, view = pattern.strip().partition(".")
    snaps = [snap for snap in plan.snaps if fnmatchcase(snap.label, label)]
    if not snaps:
        labels = [snap.label for snap in plan.snaps]
        if _WILDCARDS.isdisjoint(label):
            hint = nearest_hint(label, labels) or f"the snaps are: {', '.join(labels)}"
            raise ConfigurationError(f"there is no snap {label!r}; {hint}")
        raise ConfigurationError(f"no snap matches {label!r}; the snaps are: {', '.join(labels)}")
    if not dot:
        return [port for snap in snaps for port in _of_snap(snap, plan)]
    points = [port for snap in snaps for port in _matching(snap, view, plan)]
    if not points:
        named = snaps[0].label if len(snaps) == 1 else pattern
        names = list(dict.fromkeys(name for snap in snaps for name in _names(snap, plan)))
        hint = nearest_hint(view, names) or f"its views are: {', '.join(names)}"
        raise ConfigurationError(f"{named!r} has no view {view!r}; {hint}")
    return points


def _of_snap(snap: PlannedSnap, plan: Plan) -> Sequence[Port]:
    if snap.outputs:
        return [Port(snap.label, view.name) for view in (*snap.outputs, ERROR_VIEW)]
    entering = [_entering(Port(snap.label, view.name), plan) for view in snap.inputs]
    return [port for port in entering if port is not None]


def _matching(snap: PlannedSnap, pattern: str, plan: Plan) -> Iterator[Port]:
    for view in (*snap.outputs, ERROR_VIEW):
        if fnmatchcase(view.name, pattern):
            yield Port(snap.label, view.name)
    if _WILDCARDS.isdisjoint(pattern):
        for view in snap.inputs:
            if view.name == pattern and (port := _entering(Port(snap.label, view.name), plan)):
                yield port


def _names(snap: PlannedSnap, plan: Plan) -> Iterator[str]:
    """The names of the views that can be watched."""
    yield from (view.name for view in (*snap.outputs, ERROR_VIEW))
    for view in snap.inputs:
        if _entering(Port(snap.label, view.name), plan) is not None:
            yield view.name


def _entering(port: Port, plan: Plan) -> Port | None:
    """Where what enters an input can be seen; None if nothing does."""
    source = next((link.source for link in plan.links if link.target == port), None)
    return source or (port if port in plan.open_inputs else None)
