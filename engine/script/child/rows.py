"""Rows that owe an answer, and how a script points at them.

A row is a plain dict, as in any other run. Whether the script has kept it is seen from the number
of references to it: a row that only its entry refers to has been let go of.
"""

from __future__ import annotations

import gc
import weakref
from enum import Enum
from sys import getrefcount
from typing import Any

Row = dict[str, Any]


class State(Enum):
    """What has become of the request of a row."""

    OPEN = "it waits for an answer"
    RAISED = "the call that it was given to raised; the script has kept the row all the same"
    IDLE = "nobody waits for an answer to it; the script has kept the row"
    REFUSED = "the documents that may answer it were refused; the script has kept the row"


class Ticket:
    """Stands for a row in a script that keeps only what it has made of the row."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<ticket of row {self.number}>"


class Answer(Row):
    """A document that says which row it answers; none if its ticket is None."""

    __slots__ = ("ticket",)

    def __init__(self, document: Row, ticket: Ticket | None) -> None:
        super().__init__(document)
        self.ticket = ticket


class Entry:
    """A row in hand or kept. Its number is negative if nobody waits for an answer to it."""

    __slots__ = ("_ticket", "number", "row", "state")

    def __init__(self, number: int, row: Row | None) -> None:
        self.number = number
        self.row = row
        self.state = State.OPEN
        self._ticket: weakref.ref[Ticket] | None = None

    @property
    def owes(self) -> bool:
        return self.number > 0 and self.state is State.OPEN

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
        """The same, if not merely a cycle that the last call has left behind holds the row."""
        if self.is_kept():
            gc.collect(1)
        return self.is_kept()

    def is_ticket_only(self) -> bool:
        return self.row is not None and _references(self) == _ALONE and self._has_ticket()

    def _has_ticket(self) -> bool:
        return self._ticket is not None and self._ticket() is not None


def _references(entry: Entry) -> int:
    return getrefcount(entry.row) if entry.row is not None else 0


_ALONE = _references(Entry(0, {}))
