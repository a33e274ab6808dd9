"""Rows that await an answer, and how a script refers to them.

A row is a plain dict, as in any other run. The number of references to it shows whether the script
has kept it: once only its entry refers to a row, the script has released it.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from enum import Enum
from sys import getrefcount
from typing import Any

Row = dict[str, Any]


class RowState(Enum):
    """What has happened to the request behind a row."""

    OPEN = "it awaits an answer"
    RAISED = "the call that processed it raised, but the script has kept the row"
    IDLE = "no request awaits an answer to it, and the script has kept the row"
    REFUSED = "the documents that may answer it were refused, and the script has kept the row"


class Ticket:
    """Stands for a row in a script that keeps only data derived from the row."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<ticket of row {self.number}>"


class Answer(Row):
    """A document that says which row it answers. Without a ticket, it answers no row."""

    __slots__ = ("ticket",)

    def __init__(self, document: Row, ticket: Ticket | None) -> None:
        super().__init__(document)
        self.ticket = ticket


class Entry:
    """A current or kept row. Its number is negative if no request awaits an answer to it."""

    __slots__ = ("_ticket", "number", "row", "state")

    def __init__(self, number: int, row: Row | None) -> None:
        self.number = number
        self.row = row
        self.state = RowState.OPEN
        self._ticket: weakref.ref[Ticket] | None = None

    @property
    def owes(self) -> bool:
        return self.number > 0 and self.state is RowState.OPEN

    def ticket(self) -> Ticket:
        ticket = None if self._ticket is None else self._ticket()
        if ticket is None:
            ticket = Ticket(self.number)
            self._ticket = weakref.ref(ticket)
        return ticket

    def is_kept(self) -> bool:
        """Whether the script still has the row or its ticket."""
        return _references(self) > _ALONE or self._has_ticket()

    def is_kept_for_long(self) -> bool:
        """As `is_kept`, but a reference cycle left behind by the last call does not count."""
        if self.is_kept():
            gc.collect(1)
        return self.is_kept()

    def is_ticket_only(self) -> bool:
        return self.row is not None and _references(self) == _ALONE and self._has_ticket()

    def _has_ticket(self) -> bool:
        return self._ticket is not None and self._ticket() is not None


class HookResult:
    """What one call returned for one row: documents, and the numbers of the rows they answer."""

    __slots__ = ("documents", "drops", "is_single", "numbers")

    def __init__(self, is_single: bool) -> None:
        self.is_single = is_single
        self.documents: list[Row | None] = []
        self.numbers: list[int | None] = []
        self.drops = False

    @property
    def unassigned(self) -> int:
        """The number of documents whose row is not known yet."""
        return self.numbers.count(None)

    def assign(self, entries: Iterable[Entry]) -> None:
        """Give each unassigned document the row that it answers."""
        numbers = iter([entry.number for entry in entries])
        self.numbers = [next(numbers) if known is None else known for known in self.numbers]


def _references(entry: Entry) -> int:
    return getrefcount(entry.row) if entry.row is not None else 0


_ALONE = _references(Entry(0, {}))
