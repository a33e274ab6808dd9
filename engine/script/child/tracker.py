"""Which row a document answers, when a request is waiting behind each row.

A script may keep rows and answer them later, from any call. These rules apply, in this order: a
document that is marked, or is itself a kept row, answers that row; a document returned alone
answers the current row; a list with one document for each row that the call released answers these
rows in the order of their arrival. A list while no row is kept answers the current row.

The tracker never guesses: a result that matches no rule, or more than one, is refused, and the rows
that it could be meant for fail. A row that is lost silently (the script returns None and does not
keep the row) counts as dropped. Its answer may still come, as the script may have kept data derived
from the row: from then on, lists are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import messages
from .encoding import FailedError, Failure
from .failure import place_of, unsendable
from .replies import Outbox, Unsendable
from .results import detached, elements, plain
from .rows import Answer, Entry, HookResult, Row, RowState, Ticket

NO_ROW = 0
_DOCUMENT_ONLY = {dict}
_REMEDY = (
    "mark each document with slt.answer(row, document), and return slt.get_drop_doc() for a row "
    "that gets no answer"
)


class Tracker:
    """The current and the kept rows. When a row is finished, its outcome goes to the outbox.

    An outcome is the number of a row, and its documents (none if it was dropped) or its failure.
    """

    def __init__(self, script: str, outbox: Outbox) -> None:
        self._script = script
        self._outbox = outbox
        self._entries: dict[int, Entry] = {}
        self._by_identity: dict[int, Entry] = {}
        self._loses_rows = False
        self._keeps_rows = False

    # Called by SLTool -------------------------------------------------------------------------

    def ticket(self, row: Any) -> Ticket:
        entry = self._by_identity.get(id(row))
        if entry is None:
            raise ValueError(
                "slt.ticket needs a row that still awaits its answer, the very dict that was "
                "passed to the script; this one is a copy, or has been answered"
            )
        return entry.ticket()

    def answer(self, row: Any, document: Row) -> Answer:
        if isinstance(row, Ticket):
            return Answer(document, row)
        entry = self._by_identity.get(id(row))
        if entry is None:
            messages.warn(
                "document ignored: the row given to slt.answer has already been answered or "
                "dropped, or is a copy"
            )
        return Answer(document, None if entry is None else entry.ticket())

    # Called around the hooks of the script ----------------------------------------------------

    def begin(self, number: int, row: Row) -> Entry:
        """Register a row that is about to be passed to the script; the caller must not keep it."""
        self._entries[number] = self._by_identity[id(row)] = entry = Entry(number, row)
        return entry

    def settle_simple(self, entries: list[Entry], results: list[Any]) -> bool:
        """Settle the most common case at once: one document per row, and no other rows are kept.

        In any other case, settle nothing and return False.
        """
        if len(self._entries) != len(entries) or {*map(type, results)} != _DOCUMENT_ONLY:
            return False
        if len(entries) > 1 and not self._by_identity.keys().isdisjoint(map(id, results)):
            return False
        try:
            documents = [plain(result, "") for result in results]
        except (TypeError, ValueError, *Unsendable):
            return False
        if any("snaplogic_flag" in document for document in documents):
            return False
        for entry, document in zip(entries, documents, strict=True):
            self._report(entry.number, [document])
            self._remove(entry)
        return True

    def end_parts(self, entry: Entry) -> None:
        """All documents of a row have been sent in parts."""
        self._report(entry.number, [])
        self._remove(entry)

    def parse(self, result: Any, hook: str) -> HookResult:
        """A result, copied so that the script can no longer change it; raises TypeError."""
        given = HookResult(isinstance(result, dict))
        for place, item in enumerate(elements(result, hook)):
            number = self._marked_row(item)
            document = detached(plain(item, "" if given.is_single else f"[{place}]"))
            if document.get("snaplogic_flag") != "drop":
                given.documents.append(document)
                given.numbers.append(number)
            elif number is None:
                given.drops = True
            else:
                given.documents.append(None)
                given.numbers.append(number)
        return given

    def settle(self, entry: Entry, given: HookResult, hook: Callable[..., Any]) -> None:
        """Settle rows after a call for one row has returned."""
        released = self._released([entry], [given])
        if given.unassigned:
            owners = self._owners(entry, given, released)
            if owners is None:
                self._refuse([entry, *released], self._ambiguity(given, released, hook))
                return
            given.assign(owners)
        self._answer([given])
        self._lose(released)
        self._put_aside(entry, given)

    def settle_batch(
        self, entries: list[Entry], givens: list[HookResult | None], hook: Callable[..., Any]
    ) -> None:
        """Settle rows after a call for several has returned a result for each, None if that failed.

        A list is not trusted even if it matches the rows that the call released, as it is the
        result for only one row of many. A document in the position of its row is trusted, unless
        each row may be answered together with the next.
        """
        results = [given for given in givens if given is not None]
        released = self._released(entries, results)
        pairs = [pair for pair in zip(entries, givens, strict=True) if pair[1] is not None]
        answered = _numbers(results)
        silent = [e for e, given in pairs if given and _is_silent(e, given, answered)]
        lost = [entry for entry in silent if not entry.is_kept()]
        alone = not (silent or released or self._loses_rows or self._others(entries, results))
        late = self._has_conflict(released) or (lost and self.any_kept(entries))
        refused = []
        for entry, given in pairs:
            if given is None or not given.unassigned:
                continue
            if late if given.is_single else not alone:
                refused.append((entry, given))
            else:
                given.assign([entry] * given.unassigned)
        if refused:
            doubtful = [*released, *lost, *(entry for entry, _ in refused)]
            self._refuse(doubtful, self._ambiguity(refused[0][1], released, hook))
            results = [given for given in results if not given.unassigned]
        self._answer(results)
        self._lose(released)
        for entry, given in pairs:
            if given is not None:
                self._put_aside(entry, given)

    def fail(self, entries: list[Entry], failure: Failure) -> None:
        """Fail the rows of a call that raised, and those that it released."""
        for entry in [*entries, *self._released(entries, [])]:
            self._close(entry, RowState.RAISED, failure)

    def fail_one(self, entry: Entry, failure: Failure) -> None:
        """Fail one row of a batch because its result is invalid."""
        self._close(entry, RowState.RAISED, failure)

    def any_kept(self, entries: list[Entry]) -> bool:
        """Whether the script has kept any of these rows."""
        return any(entry.is_kept_for_long() for entry in entries)

    def forget(self, entries: list[Entry]) -> None:
        """Forget the rows of a batch that raised: they are passed to the script again.

        The script may have kept parts of them the first time, as it may of a lost row.
        """
        self._loses_rows = True
        for entry in entries:
            self._remove(entry)

    def finish(self, given: HookResult, hook: Callable[..., Any] | None) -> None:
        """Settle all remaining rows with the result of `snaplogic_final`."""
        answered = _numbers([given])
        rest = [entry for entry in self._entries.values() if entry.number not in answered]
        if given.unassigned and not rest:
            given.numbers = [NO_ROW if known is None else known for known in given.numbers]
        elif given.unassigned and not given.is_single:
            if self._loses_rows or given.unassigned != len(rest):
                self._refuse(rest, self._ambiguity(given, rest, hook))
                return
            given.assign(rest)
        self._answer([given])
        for entry in rest:
            self._close(entry, RowState.RAISED, self._unanswered())
        for document, number in zip(given.documents, given.numbers, strict=True):
            if document is not None and number in (None, NO_ROW):
                self._report(NO_ROW, [document])

    # Rules ------------------------------------------------------------------------------------

    def _marked_row(self, item: Row) -> int | None:
        """The number of the row that a document itself refers to; None if it refers to none."""
        if isinstance(item, Answer):
            return NO_ROW if item.ticket is None else item.ticket.number
        entry = self._by_identity.get(id(item))
        return None if entry is None else entry.number

    def _owners(self, entry: Entry, given: HookResult, released: list[Entry]) -> list[Entry] | None:
        """The rows that the unassigned documents answer, in order; None if that is ambiguous."""
        count = given.unassigned
        if given.is_single:
            return None if self._has_conflict(released) else [entry]
        if self._loses_rows:
            return None
        if not released:
            return None if self._others([entry], [given]) else [entry] * count
        if entry.number < 0:
            return released if count == len(released) else None
        stays = entry.number in given.numbers or entry.is_kept_for_long()
        let_go = released if stays else [*released, entry]
        # One document, or one next to a drop document, could equally be for the current row.
        return None if given.drops or count == 1 or count != len(let_go) else let_go

    def _has_conflict(self, released: list[Entry]) -> bool:
        """Whether a document returned alone could be for a row that the call released."""
        certain = (RowState.OPEN, RowState.REFUSED)
        return any(
            entry.state in certain or (entry.state is RowState.RAISED and self._keeps_rows)
            for entry in released
        )

    def _others(self, entries: list[Entry], givens: list[HookResult]) -> bool:
        """Whether any other row is kept and not answered in this call."""
        known = _numbers(givens).union(entry.number for entry in entries)
        return any(
            number not in known and entry.state is not RowState.IDLE
            for number, entry in self._entries.items()
        )

    def _released(self, entries: list[Entry], givens: list[HookResult]) -> list[Entry]:
        """Rows of earlier calls that the script has released and not referred to; oldest first."""
        if len(self._entries) == len(entries) == 1:
            return []
        spared = _numbers(givens).union(entry.number for entry in entries)
        others = [entry for entry in self._entries.values() if entry.number not in spared]
        return [entry for entry in others if not entry.is_kept()]

    # Outcomes ---------------------------------------------------------------------------------

    def _report(self, number: int, answer: list[Row] | FailedError) -> None:
        """Report the outcome of a row. If its documents cannot be sent, the row fails."""
        try:
            self._outbox.add((number, answer))
        except Unsendable as error:
            self._outbox.add((number, FailedError(*unsendable(error, self._script))))

    def _answer(self, givens: list[HookResult]) -> None:
        """Pass on the documents whose rows are known, except those of rows already finished."""
        answers: dict[int, list[Row]] = {}
        for given in givens:
            for number, document in zip(given.numbers, given.documents, strict=True):
                if number is not None:
                    documents = answers.setdefault(number, [])
                    if document is not None:
                        documents.append(document)
        for number, documents in answers.items():
            entry = self._entries.get(number)
            if entry is not None:
                if entry.state is RowState.OPEN:
                    self._report(number, documents)
                self._remove(entry)

    def _lose(self, released: list[Entry]) -> None:
        for entry in released:
            if entry.number in self._entries:
                self._drop(entry)
                self._loses_rows |= entry.owes

    def _put_aside(self, entry: Entry, given: HookResult) -> None:
        """Handle the current row if it was not answered: it was dropped, kept or lost."""
        if entry.number not in self._entries or entry.state is not RowState.OPEN:
            return
        if given.drops:
            self._drop(entry)
        elif entry.is_kept_for_long():
            if entry.owes:
                self._keeps_rows = True
            else:
                self._close(entry, RowState.IDLE, None)
            if entry.is_ticket_only():  # the script has released the row; free its memory here too
                del self._by_identity[id(entry.row)]
                entry.row = None
        else:
            self._lose([entry])

    def _drop(self, entry: Entry) -> None:
        if entry.state is RowState.OPEN:
            self._report(entry.number, [])
        self._remove(entry)

    def _refuse(self, entries: list[Entry], failure: Failure) -> None:
        if not any(entry.owes for entry in entries):
            messages.warn(f"documents ignored: {failure[1]}; {failure[2]}")
        for entry in entries:
            if entry.number > 0:
                self._loses_rows |= not entry.is_kept()
                self._close(entry, RowState.REFUSED, failure)
            else:
                self._close(entry, RowState.IDLE, None)

    def _close(self, entry: Entry, state: RowState, failure: Failure | None) -> None:
        """Finish a row. As long as the script keeps it, it may still return a document for it."""
        if entry.state is RowState.OPEN and entry.number in self._entries:
            self._report(entry.number, [] if failure is None else FailedError(*failure))
        entry.state = state if entry.number > 0 else RowState.IDLE
        if not entry.is_kept_for_long():
            self._remove(entry)

    def _remove(self, entry: Entry) -> None:
        self._entries.pop(entry.number, None)
        if entry.row is not None:
            self._by_identity.pop(id(entry.row), None)
            entry.row = None

    # Messages ---------------------------------------------------------------------------------

    def _ambiguity(self, given: HookResult, released: list[Entry], hook: Any) -> Failure:
        count = given.unassigned
        if given.is_single:
            what, why = "a document", "a document returned alone is for the current row"
        else:
            what = f"a list with {count} unmarked document{'s' * (count != 1)}"
            why = "a list must hold one document for each row that the call released"
        if not given.is_single and self._loses_rows:
            why = (
                "the script has returned None for a row that it did not keep, or raised for a "
                "batch, so it may have kept parts of rows"
            )
        elif released:
            why += f", but the call released kept rows ({len(released)})"
        return (
            f"Python script error in {self._script}",
            f"it is unclear which rows are answered: {getattr(hook, '__name__', 'the script')} "
            f"returned {what}; {why} ({place_of(hook, self._script)})",
            _REMEDY,
            "",
        )

    def _unanswered(self) -> Failure:
        return (
            f"Python script error in {self._script}",
            "the script kept the row and ended without answering it",
            "answer kept rows in snaplogic_final, or return slt.get_drop_doc() for a row that gets "
            "no answer",
            "",
        )


def _numbers(givens: Iterable[HookResult]) -> set[int | None]:
    return {number for given in givens for number in given.numbers}


def _is_silent(entry: Entry, given: HookResult, answered: set[int | None]) -> bool:
    """Whether a batch says nothing about a row, so that a later result may answer it."""
    return not (given.unassigned or given.drops or entry.number in answered)


_used: list[Tracker] = []


def use(tracker: Tracker) -> None:
    """Make `tracker` the one that SLTool uses; a script's process has at most one."""
    _used[:] = [tracker]


def current() -> Tracker | None:
    return _used[0] if _used else None
