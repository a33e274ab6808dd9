"""What a snap's class says about itself for given settings, collected in one place.

The methods called here are the snap's own code. If one raises, the snap is unusable with these
settings, just as if its module could not be imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from engine.errors import ExpressionError, UnusableSnapError
from engine.expressions.steps import Step
from engine.plan.plan import Facts
from engine.registry import SnapClass, SnapFile
from engine.registry.loading import describe, place_of
from engine.sdk.settings import Issue, KeyPath, Settings
from engine.sdk.snap import Snap, StreamSnap
from engine.sdk.views import Views


class Inspection(NamedTuple):
    """What a class answers for its settings: parameters, issues, files, views, facts and steps.

    There are no facts if an expression in the settings is invalid, which is reported elsewhere.
    """

    parameters: list[tuple[KeyPath, str, int, bool]]
    issues: list[Issue]
    files: list[tuple[KeyPath, str]]
    views: Views
    facts: Facts | None
    steps: tuple[Step, ...]


def inspect_snap(snap_class: SnapClass, settings: Settings) -> Inspection:
    """Inspect a class. Raises UnusableSnapError if one of its methods raises or is missing."""
    with _named_when_failing(snap_class) as file:
        inspection = Inspection(
            list(snap_class.parameters_read(settings)),
            [_issue(issue) for issue in snap_class.check(settings)],
            list(snap_class.files_needed(settings)),
            snap_class.views_for(settings),
            _readable_facts(snap_class, settings),
            _steps(snap_class, settings),
        )
    if inspection.views.inputs and (missing := _missing_method(snap_class)):
        statement = file.classes.get(snap_class.__name__)
        place = file.path if statement is None else f"{file.path}:{statement.line}"
        raise UnusableSnapError(
            f"the snap {snap_class.__name__} in {place} has an input, but no method for it",
            f"define {missing}",
        )
    return inspection


def inspect_inputs(snap_class: SnapClass, settings: Settings, inputs: Sequence[str]) -> list[Issue]:
    """What a class says about its linked inputs. Raises UnusableSnapError if its method raises."""
    with _named_when_failing(snap_class):
        return [_issue(issue) for issue in snap_class.check_inputs(settings, inputs)]


@contextmanager
def _named_when_failing(snap_class: SnapClass) -> Iterator[SnapFile]:
    """Errors of the snap's own code name its file and line."""
    file = SnapFile(snap_class.__module__, inspect.getfile(snap_class))
    try:
        yield file
    except Exception as error:
        path, line = place_of(error, file)
        raise UnusableSnapError(
            f"the snap {snap_class.__name__} failed while checking its settings: "
            f"{path}:{line}: {describe(error)}",
            "this is a bug in the snap: fix that line, or change the setting",
        ) from error


def _missing_method(snap_class: SnapClass) -> str:
    """What a class with inputs must define; empty if it does."""
    if issubclass(snap_class, StreamSnap):
        is_handled = (
            snap_class.feed is not StreamSnap.feed
            or snap_class.process_batch is not StreamSnap.process_batch
        )
        return "" if is_handled else "feed(self, chunk)"
    is_handled = (
        snap_class.process is not Snap.process or snap_class.process_batch is not Snap.process_batch
    )
    return "" if is_handled else "process(self, document) or process_batch(self, view, batch)"


def _issue(given: object) -> Issue:
    if isinstance(given, Issue):
        return given
    raise TypeError(f"check must yield Issue values, not {given!r}")


def _readable_facts(snap_class: SnapClass, settings: Settings) -> Facts | None:
    try:
        return _facts(snap_class, settings)
    except ExpressionError:
        return None


def _facts(snap_class: SnapClass, settings: Settings) -> Facts:
    """The facts of a snap's class that the plan carries."""
    return Facts(
        stateful=snap_class.stateful,
        single=snap_class.single,
        keeps_order=snap_class.keeps_order,
        loses_lineage=_loses_lineage(snap_class, settings),
        replayable=snap_class.replayable,
        blocking=snap_class.blocking,
        flows=snap_class.flows,
        plain=snap_class.plain,
        changes_input=snap_class.changes_input,
        shares_output=snap_class.shares_output,
        passes_on=snap_class.passes_on,
        writes=snap_class.writes,
        reads=_reads(snap_class, settings),
    )


def _reads(snap_class: SnapClass, settings: Settings) -> frozenset[tuple[str, ...]] | None:
    """What the snap reads; anything if one of its expressions is invalid."""
    try:
        return snap_class.reads(settings)
    except ExpressionError:
        return None


def _loses_lineage(snap_class: SnapClass, settings: Settings) -> str:
    """Why the snap loses lineage. One with a `finish` must declare that it does not.

    A declaration covers `finish` in the same class or a base class, not in a subclass.
    """
    for cls in snap_class.__mro__:
        declared = cls.__dict__.keys()
        if cls is not Snap and declared & {"loses_lineage", "loses_lineage_for"}:
            break
        if cls is not Snap and "finish" in declared:
            return _FINISH_LOSES_LINEAGE
    return snap_class.loses_lineage_for(settings)


_FINISH_LOSES_LINEAGE = (
    "holds documents back and emits them in 'finish', after all requests have ended; "
    "if every document that it emits carries the lineage of its request, "
    'declare that in the class: loses_lineage = ""'
)


def _steps(snap_class: SnapClass, settings: Settings) -> tuple[Step, ...]:
    """The steps that the class declares. A subclass with other behaviour must declare its own."""
    for cls in snap_class.__mro__:
        declared = cls.__dict__.keys()
        if "steps" in declared:
            return tuple(snap_class.steps(settings))
        if declared & _BEHAVIOUR:
            break
    return ()


_BEHAVIOUR = frozenset({"open", "process", "process_batch", "begin", "feed", "end", "finish"})
