"""Expressions that read a field which no document has where they are.

Which fields documents may have is known behind a Mapper without `pass_through` and behind snaps
whose settings show their documents, for as long as snaps pass documents on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from engine.errors import UnusableSnapError
from engine.expressions import fields_expected, path_moved
from engine.expressions.steps import Keep, Make
from engine.plan import graph
from engine.plan.collector import KeyPath, ProblemCollector, nearest_of
from engine.plan.expressions import shift_of
from engine.plan.inspection import inspect_output
from engine.plan.linkage import links_may_be_lost
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink
from engine.sdk.settings import Expression, Path, TargetPath, expressions_in
from engine.sdk.views import ERROR_VIEW

_MAX_HINTS = 50
"""Fields for which the nearest name is sought; it takes a millisecond where there are hundreds."""

_MAX_MAKERS = 3
"""Snaps that a message names."""


class _Known(msgspec.Struct, frozen=True):
    """The fields that documents may have, and the snaps that made these documents."""

    fields: frozenset[str]
    makers: tuple[str, ...]


def check_fields(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], collector: ProblemCollector
) -> None:
    """Warn of fields that are certainly missing where an expression reads them."""
    if links_may_be_lost(collector):
        return  # such a link might bring other documents
    hints: dict[tuple[str, frozenset[str]], str] = {}
    arriving: dict[str, list[_Known | None]] = {}
    after: dict[str, list[ResolvedLink]] = {}
    for link in links:
        after.setdefault(link.labels[0], []).append(link)
    for label in graph.order(list(snaps), [link.labels for link in links]):
        snap = snaps[label]
        given = _together(arriving.get(label, ()))
        if given is not None:
            _check_snap(snap, given, collector, hints)
        leaving = _leaving(snap, given)
        for link in after.get(label, ()):
            known = None if link.source in (None, ERROR_VIEW) else leaving
            arriving.setdefault(link.labels[1], []).append(known)


def _together(several: Sequence[_Known | None]) -> _Known | None:
    known = [each for each in several if each is not None]
    if not known or len(known) < len(several):
        return None
    if len(known) == 1:
        return known[0]
    fields = frozenset[str]().union(*(each.fields for each in known))
    return _Known(fields, tuple(dict.fromkeys(name for each in known for name in each.makers)))


def _leaving(snap: ResolvedSnap, given: _Known | None) -> _Known | None:
    """What is known of the documents that leave the views of a snap, except for its error view."""
    if snap.facts is None or snap.snap_class is None or snap.settings is None:
        return None
    if snap.facts.passes_on:
        return given
    if len(snap.steps) == 1 and isinstance(snap.steps[0], Make):
        return _made(snap.steps[0], snap.spec.label, given)
    try:
        documents, _ = inspect_output(snap.snap_class, snap.settings)
    except UnusableSnapError:
        return None
    fields = frozenset(name for document in documents for name in document)
    return _Known(fields, (snap.spec.label,)) if documents else None


def _made(step: Make, label: str, given: _Known | None) -> _Known | None:
    """The targets of a Mapper, and with `pass_through` what it is given."""
    fields: set[str] = set()
    for target, _ in step.rows:
        names = path_moved(target)
        if names is None:
            return None
        fields.add(names[0])
    if not step.pass_through:
        return _Known(frozenset(fields), (label,))
    return None if given is None else _Known(given.fields | fields, (*given.makers, label))


def _check_snap(
    snap: ResolvedSnap,
    given: _Known,
    collector: ProblemCollector,
    hints: dict[tuple[str, frozenset[str]], str],
) -> None:
    names = _names_read(snap) - given.fields
    for path, text, name, offset, length in _places(snap) if names else ():
        if name not in names:
            continue
        shift = shift_of(snap.spec.settings, path, text)
        where = collector.inside(snap.spec.label, path, shift + offset, length)
        message = f"the documents of {_listed(given.makers)} have no field '{name}'"
        key = name, given.fields
        if key not in hints:
            known = sorted(given.fields)
            hints[key] = nearest_of(name, known, "fields") if len(hints) < _MAX_HINTS else ""
        collector.report("absent-field", where, message, hints[key], "warning")


def _listed(makers: tuple[str, ...]) -> str:
    named = [f"'{label}'" for label in makers[:_MAX_MAKERS]]
    left = len(makers) - len(named)
    return " and ".join([*named, f"{left} more"] if left else named)


def _names_read(snap: ResolvedSnap) -> set[str]:
    """The fields of the input documents that the snap reads, as far as it tells."""
    if len(snap.steps) == 1:  # of other snaps, `$` in an expression might be something else
        step = snap.steps[0]
        if isinstance(step, Keep):
            return {name for name, _, _ in fields_expected(step.condition)}
        if isinstance(step, Make):
            return {name for _, text in step.rows for name, _, _ in fields_expected(text)}
    reads = None if snap.facts is None else snap.facts.reads
    return {path[0] for path in reads or ()}


def _places(snap: ResolvedSnap) -> Iterator[tuple[KeyPath, str, str, int, int]]:
    """(setting, its text, field, offset, length) of the reads in its expressions and paths."""
    for path, item in expressions_in(snap.settings):
        for name, offset, length in _fields_in(item):
            yield path, item.text, name, offset, length


def _fields_in(item: Expression | Path) -> Iterable[tuple[str, int, int]]:
    if isinstance(item, Expression):
        return fields_expected(item.text)
    names = None if isinstance(item, TargetPath) else path_moved(item.text)
    if not names:
        return ()
    return ((names[0], item.text.find(names[0]), len(names[0])),)
