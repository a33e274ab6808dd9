"""Taps show documents that cross links while a run goes on.

A run without taps does not pay for them: a snap calls its watcher only if it has one, and gets one
only when a tap is attached to it, perhaps in mid-run. Snaps that run as one function
(engine.run.fused) are called themselves only for blocks in which a document reaches a tapped view;
a tap that has shown enough is detached, so that the function runs alone again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from engine.documents import Batch, Document, StreamStart, without_raw_json
from engine.errors import ExpressionError
from engine.expressions import CompiledExpression, compile_expression
from engine.plan.plan import Port, Stage
from engine.run.execution import Execution
from engine.run.secrets import Secrets
from engine.run.tap_lines import document_line, stream_line

if TYPE_CHECKING:
    from engine.run.host import StageHost
    from engine.run.member import Member


class Pace(Protocol):
    """Limits how much work a tap may cause."""

    def begin(self) -> bool:
        """Whether there is time for another document; if so, `end` is called afterwards."""
        ...

    def end(self) -> None: ...


class Tap:
    """Shows the documents of some views, as lines of JSON without secrets.

    At most `limit` of each view are shown (None: all), and only those for which the expression
    `condition` is true (see tap_points.check_condition). A document for which the `pace` leaves no
    time is left out.
    """

    def __init__(
        self,
        ports: Collection[Port],
        show: Callable[[bytes], None],
        *,
        limit: int | None = None,
        condition: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.ports = frozenset(ports)
        self.condition = condition
        self._show = show
        self._limit = limit
        self._pace = pace
        self._shown: dict[Port, int] = {}
        self._headers: dict[Port, tuple[int, StreamStart]] = {}
        self._filters: dict[str, CompiledExpression] = {}
        self._secrets = Secrets()
        self._lock = threading.Lock()

    def open(self, execution: Execution) -> None:
        """Get ready for a run, in which the condition is valid."""
        self._secrets = execution.secrets
        if self.condition:
            for label in {port.label for port in self.ports}:
                scope = execution.scope({}, label)
                condition = compile_expression(self.condition, null_safe=True, scope=scope)
                self._filters[label] = condition

    def take(self, port: Port, first: int, batch: Batch) -> bool:
        """Show the items of a batch, the first of which has that number among all of its view.

        Returns whether more are wanted from this view. May be called from any thread.
        """
        with self._lock:
            number = first
            for item in batch.items:
                if not self._wants(port):
                    return False
                if isinstance(item, dict):
                    self._document(port, number, item)
                    number += 1
                elif isinstance(item, StreamStart):
                    self._headers[port] = number, item
                    number += 1
                elif (header := self._headers.pop(port, None)) is not None:
                    self._stream(port, header, item if isinstance(item, bytes) else b"")
            return self._wants(port)

    def _wants(self, port: Port) -> bool:
        return self._limit is None or self._shown.get(port, 0) < self._limit

    def _document(self, port: Port, number: int, document: Document) -> None:
        if self._pace is None:
            self._show_document(port, number, document)
        elif self._pace.begin():
            try:
                self._show_document(port, number, document)
            finally:
                self._pace.end()

    def _show_document(self, port: Port, number: int, document: Document) -> None:
        try:
            readable = without_raw_json(document)
            if not self._is_wanted(port, readable):
                return
            line = document_line(port, number, self._secrets.mask(readable))
        except Exception as error:  # noqa: BLE001  # whatever a document holds, a tap does no harm
            line = document_line(port, number, {"unreadable": type(error).__name__})
        self._put(port, line)

    def _is_wanted(self, port: Port, document: Document) -> bool:
        if not self._filters:
            return True
        try:
            return self._filters[port.label](document) is True
        except ExpressionError:  # such as `$a.b > 1` where `b` is text
            return False

    def _stream(self, port: Port, header: tuple[int, StreamStart], start: bytes) -> None:
        """Show a binary stream by its header and its first bytes. A condition is for documents."""
        if not self.condition:
            number, begun = header
            masked = self._secrets.mask_bytes(start)
            self._put(port, stream_line(port, number, self._secrets.mask(begun.header), masked))

    def _put(self, port: Port, line: bytes) -> None:
        self._shown[port] = self._shown.get(port, 0) + 1
        self._show(line)


class Taps:
    """The taps of a run. They may come and go while it runs, from any thread."""

    def __init__(self, taps: Iterable[Tap] = ()) -> None:
        self._waiting = list(taps)
        self._taps: dict[Port, tuple[Tap, ...]] = {}
        self._execution: Execution | None = None
        self._snaps: dict[str, Member] = {}
        self._inputs: dict[Port, StageHost] = {}
        self._lock = threading.Lock()

    def open(self, execution: Execution, hosts: Mapping[Stage, StageHost]) -> None:
        """The run is about to start."""
        self._execution = execution
        self._snaps = {
            member.plan.label: member for host in hosts.values() for member in host.members
        }
        firsts = {stage.labels[0]: host for stage, host in hosts.items()}
        self._inputs = {port: firsts[port.label] for port in execution.plan.open_inputs}
        waiting, self._waiting = self._waiting, []
        for tap in waiting:
            self.attach(tap)

    def attach(self, tap: Tap) -> None:
        if self._execution is None:
            self._waiting.append(tap)
            return
        tap.open(self._execution)
        with self._lock:
            for port in tap.ports:
                self._taps[port] = (*self._taps.get(port, ()), tap)
                self._watch(port, self._execution)

    def detach(self, tap: Tap) -> None:
        if self._execution is None:
            self._waiting.remove(tap)
            return
        for port in tap.ports:
            self._detach(port, tap, self._execution)

    def _detach(self, port: Port, tap: Tap, execution: Execution) -> None:
        with self._lock:
            left = tuple(each for each in self._taps.get(port, ()) if each is not tap)
            if left:
                self._taps[port] = left
            else:
                self._taps.pop(port, None)
                self._watch(port, execution)

    def _watch(self, port: Port, execution: Execution) -> None:
        """Let the snap or stage call this object as long as one of its views has a tap."""
        tapped = [each for each in self._taps if each.label == port.label]
        if port in self._inputs:
            self._inputs[port].watch(self._entered if port in tapped else None)
            return
        views = frozenset(each.view for each in tapped if each not in self._inputs)
        self._snaps[port.label].watch(views, self._left if views else execution.services.crossed)

    def _entered(self, port: Port, batch: Batch) -> None:
        self._show(port, self._snaps[port.label].statistics.inputs[port.view] + 1, batch)

    def _left(self, port: Port, batch: Batch) -> None:
        """A batch leaves a snap, which has counted it already."""
        assert self._execution is not None  # a tap is attached
        if self._execution.services.crossed is not None:
            self._execution.services.crossed(port, batch)
        if port in self._taps:
            count = sum(isinstance(item, dict | StreamStart) for item in batch.items)
            left = self._snaps[port.label].statistics.outputs[port.view]
            self._show(port, left - count + 1, batch)

    def _show(self, port: Port, first: int, batch: Batch) -> None:
        for tap in self._taps.get(port, ()):
            if not tap.take(port, first, batch):
                assert self._execution is not None  # a tap is attached
                self._detach(port, tap, self._execution)
