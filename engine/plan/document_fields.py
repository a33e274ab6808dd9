"""Expressions that do not fit the documents that reach them.

Which fields documents may have is known behind a Mapper without `pass_through` and behind snaps
whose settings show their documents; that all their fields are strings, behind a CSVParser without
types. It stays known for as long as snaps pass documents on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import msgspec

from engine.errors import UnusableSnapError
from engine.expressions import fields_expected, lint_text_fields, path_moved
from engine.expressions.steps import DecodeRows, Keep, Make
from engine.late_regex import late_regex
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

_NUMBER = late_regex(r"[+-]?\d+(\.\d+)?")


class _Known(msgspec.Struct, frozen=True):
    """The fields that documents may have (None: any), and the snaps that made these documents.
    `are_text`: all fields are strings."""

    fields: frozenset[str] | None
    makers: tuple[str, ...]
    are_text: bool = False


def check_fields(
    snaps: Mapping[str, ResolvedSnap], links: Sequence[ResolvedLink], collector: ProblemCollector
) -> None:
    """Warn of fields that are certainly missing where an expression reads them, and of strings that
    it uses as numbers."""
    if links_may_be_lost(collector):
        return  # such a link might bring other documents
    checks = _Checks(collector)
    entering: dict[str, list[ResolvedLink]] = {}
    for link in links:
        entering.setdefault(link.labels[1], []).append(link)
    leaving: dict[str, _Known | None] = {}
    for label in graph.order(list(snaps), [link.labels for link in links]):
        given = _together(
            [
                None if link.source in (None, ERROR_VIEW) else leaving[link.labels[0]]
                for link in entering.get(label, ())
            ]
        )
        if given is not None:
            checks.check(snaps[label], given)
        leaving[label] = _leaving(snaps[label], given, len(entering.get(label, ())))


def _together(several: Sequence[_Known | None]) -> _Known | None:
    known = [each for each in several if each is not None]
    if not known or len(known) < len(several):
        return None
    if len(known) == 1:
        return known[0]
    fields: frozenset[str] | None = frozenset()
    for each in known:
        fields = None if fields is None or each.fields is None else fields | each.fields
    makers = dict.fromkeys(name for each in known for name in each.makers)
    return _Known(fields, tuple(makers), all(each.are_text for each in known))


def _leaving(snap: ResolvedSnap, given: _Known | None, links: int) -> _Known | None:
    """What is known of the documents that leave the views of a snap, except for its error view;
    `links` lead to it."""
    if snap.facts is None or snap.snap_class is None or snap.settings is None:
        return None
    if snap.facts.passes_on:
        return given
    label = snap.spec.label
    if len(snap.steps) == 1 and isinstance(snap.steps[0], Make):
        return _made(snap.steps[0], label, given)
    if len(snap.steps) == 1 and isinstance(snap.steps[0], DecodeRows):
        return _Known(None, (label,), are_text=True) if links == 1 else None  # or with types
    try:
        documents, _ = inspect_output(snap.snap_class, snap.settings)
    except UnusableSnapError:
        return None
    return _Known(frozenset(chain.from_iterable(documents)), (label,)) if documents else None


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
    if given is None or given.fields is None:
        return None
    return _Known(given.fields | fields, (*given.makers, label))


class _Checks:
    def __init__(self, collector: ProblemCollector) -> None:
        self._collector = collector
        self._hints: dict[tuple[str, frozenset[str]], str] = {}
        self._numbers = [
            f"_{each.name}"
            for each in collector.spec.parameters
            if each.default is not None and _NUMBER.fullmatch(each.default)
        ]

    def check(self, snap: ResolvedSnap, given: _Known) -> None:
        names = _names_read(snap)
        if given.fields is not None and (absent := names - given.fields):
            self._report_absent(snap, absent, given.fields, given.makers)
        if given.are_text and names:
            self._check_text(snap, given.makers)

    def _report_absent(
        self, snap: ResolvedSnap, absent: set[str], fields: frozenset[str], makers: tuple[str, ...]
    ) -> None:
        for path, item in expressions_in(snap.settings):
            for name, offset, length in _fields_in(item):
                if name in absent:
                    message = f"the documents of {_listed(makers)} have no field '{name}'"
                    hint = self._hint(snap, name, fields)
                    self._report(
                        "absent-field", snap, path, item.text, offset, length, message, hint
                    )

    def _hint(self, snap: ResolvedSnap, name: str, fields: frozenset[str]) -> str:
        step = snap.steps[0] if len(snap.steps) == 1 else None
        if isinstance(step, Make) and any(path_moved(target) == (name,) for target, _ in step.rows):
            return (
                "expressions read the input document, not what other rows write: write the "
                "expression of that row here, or use another Mapper after this one"
            )
        key = name, fields
        if key not in self._hints:
            is_sought = len(self._hints) < _MAX_HINTS
            self._hints[key] = nearest_of(name, sorted(fields), "fields") if is_sought else ""
        return self._hints[key]

    def _check_text(self, snap: ResolvedSnap, makers: tuple[str, ...]) -> None:
        for path, item in expressions_in(snap.settings):
            if isinstance(item, Expression):
                for lint in lint_text_fields(item.text, self._numbers):
                    message = f"{lint.message}: all fields of {_listed(makers)} are strings"
                    place = lint.offset, lint.length
                    self._report("text-field", snap, path, item.text, *place, message, lint.hint)

    def _report(
        self,
        code: str,
        snap: ResolvedSnap,
        path: KeyPath,
        text: str,
        offset: int,
        length: int,
        message: str,
        hint: str,
    ) -> None:
        label = snap.spec.label
        shift = shift_of(snap.spec.settings, path, text)
        where = self._collector.inside(label, path, shift + offset, length)
        self._collector.report(code, where, message, hint, "warning")


def _listed(makers: tuple[str, ...]) -> str:
    named = [f"'{label}'" for label in makers[:_MAX_MAKERS]]
    if left := len(makers) - len(named):
        named.append(f"{left} more")
    *others, last = named
    return f"{', '.join(others)} and {last}" if others else last


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


def _fields_in(item: Expression | Path) -> Iterable[tuple[str, int, int]]:
    if isinstance(item, Expression):
        return fields_expected(item.text)
    names = None if isinstance(item, TargetPath) else path_moved(item.text)
    if not names:
        return ()
    return ((names[0], item.text.find(names[0]), len(names[0])),)
