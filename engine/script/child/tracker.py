"""Which row a document answers, when somebody waits for the answer to each row.

A script may keep rows and answer them later, from any call. In this order: a document that is
marked, or is itself a row that was kept, answers that row; a document returned alone answers the
row in hand; a list that has one document for each row that the call let go of answers these in the
order in which they came. A list while nothing is kept is the answer to the row in hand.

Nothing is guessed: what fits no rule, or two, is refused, and the rows that it could be meant for
fail. A row that is lost without a word (None is returned, and nobody keeps the row) counts as
dropped. Its answer may come yet, as the script may have kept what it has made of the row: from then
on lists are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import install
from .protocol import FailedError, Failure
from .replies import Outbox, Unsendable, unsendable
from .results import detached, elements, plain
from .rows import Answer, Entry, Row, State, Ticket

NO_ROW = 0
_DOCUMENT_ONLY = {dict}
_REMEDY = (
    "Mark each document with slt.answer(row, document), and return slt.get_drop_doc() for a row "
    "that gets no answer."
)


class Given:
    """What one call gave for one row: documents, and the numbers of the rows that they answer."""

    __slots__ = ("bare", "documents", "drops", "numbers")

    def __init__(self, bare: bool) -> None:
        self.bare = bare
        self.documents: list[Row | None] = []
        self.numbers: list[int | None] = []
        self.drops = False

    @property
    def loose(self) -> int:
        """Documents of which it is not known yet what they answer."""
        return self.numbers.count(None)

    def assign(self, entries: Iterable[Entry]) -> None:
        """Give each loose document the row that it answers."""
        numbers = iter([entry.number for entry in entries])
        self.numbers = [next(numbers) if known is None else known for known in self.numbers]


class Tracker:
    """The rows in hand and kept. The outbox gets what has become of those that are done with.

    An outcome is the number of a row, and its documents (none if it was dropped) or its failure.
    """

    def __init__(self, script: str, outbox: Outbox) -> None:
        self._script = script
        self._outbox = outbox
        self._entries: dict[int, Entry] = {}
        self._by_identity: dict[int, Entry] = {}
        self._loses_rows = False
        self._keeps_rows = False

    # What a script asks for -------------------------------------------------------------------

    def ticket(self, row: Any) -> Ticket:
        entry = self._by_identity.get(id(row))
        if entry is None:
            raise ValueError(
                "slt.ticket wants a row that waits for its answer, the very dict that the script "
                "was given; this one is a copy, or has been answered"
            )
        return entry.ticket()

    def answer(self, row: Any, document: Row) -> Answer:
        if isinstance(row, Ticket):
            return Answer(document, row)
        entry = self._by_identity.get(id(row))
        if entry is None:
            install.warn(
                "slt.answer was given no row that waits for its answer (it has been answered or "
                "dropped, or it is a copy): the document is left out"
            )
        return Answer(document, None if entry is None else entry.ticket())

    # What the calls into the script report ----------------------------------------------------

    def begin(self, number: int, row: Row) -> Entry:
        """A row is about to be given to the script; the caller must not keep it."""
        self._entries[number] = self._by_identity[id(row)] = entry = Entry(number, row)
        return entry

    def settle_plainly(self, entries: list[Entry], results: list[Any]) -> bool:
        """Settle the commonest calls at once: one document for each row, and no row but these.

        False for any other, of which nothing is settled.
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

    def given(self, result: Any, hook: str) -> Given:
        """A result apart from everything that the script may still change; raises TypeError."""
        given = Given(isinstance(result, dict))
        for place, item in enumerate(elements(result, hook)):
            number = self._pointed_at(item)
            document = detached(plain(item, "" if given.bare else f"[{place}]"))
            if document.get("snaplogic_flag") != "drop":
                given.documents.append(document)
                given.numbers.append(number)
            elif number is None:
                given.drops = True
            else:
                given.documents.append(None)
                given.numbers.append(number)
        return given

    def settle(self, entry: Entry, given: Given, hook: Callable[..., Any]) -> None:
        """A call for one row has come back."""
        released = self._released([entry], [given])
        if given.loose:
            owners = self._owners(entry, given, released)
            if owners is None:
                self._refuse([entry, *released], self._doubt(given, released, hook))
                return
            given.assign(owners)
        self._answer([given])
        self._lose(released)
        self._put_aside(entry, given)

    def settle_batch(
        self, entries: list[Entry], givens: list[Given | None], hook: Callable[..., Any]
    ) -> None:
        """A call for several rows has come back, with a result for each; None for one that failed.

        Rows that the call let go of are no reason to trust a list: it came for one row of many. A
        document in the place of its row is trusted unless each row may be answered with the next.
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
            if given is None or not given.loose:
                continue
            if late if given.bare else not alone:
                refused.append((entry, given))
            else:
                given.assign([entry] * given.loose)
        if refused:
            doubtful = [*released, *lost, *(entry for entry, _ in refused)]
            self._refuse(doubtful, self._doubt(refused[0][1], released, hook))
            results = [given for given in results if not given.loose]
        self._answer(results)
        self._lose(released)
        for entry, given in pairs:
            if given is not None:
                self._put_aside(entry, given)

    def fail(self, entries: list[Entry], told: Failure) -> None:
        """A call has raised: its rows fail, and so do those that it let go of."""
        for entry in [*entries, *self._released(entries, [])]:
            self._close(entry, State.RAISED, told)

    def fail_one(self, entry: Entry, told: Failure) -> None:
        """The result for one row of a batch is not a proper one."""
        self._close(entry, State.RAISED, told)

    def any_kept(self, entries: list[Entry]) -> bool:
        """Whether the script has kept one of the rows that it was given."""
        return any(entry.is_kept_for_long() for entry in entries)

    def forget(self, entries: list[Entry]) -> None:
        """A batch has raised, and its rows are given once more.

        The script may have kept parts of them the first time, as of a row that is lost.
        """
        self._loses_rows = True
        for entry in entries:
            self._remove(entry)

    def finish(self, given: Given, hook: Callable[..., Any] | None) -> None:
        """The script has ended: what it kept is answered now, or never."""
        answered = _numbers([given])
        rest = [entry for entry in self._entries.values() if entry.number not in answered]
        if given.loose and not rest:
            given.numbers = [NO_ROW if known is None else known for known in given.numbers]
        elif given.loose and not given.bare:
            if self._loses_rows or given.loose != len(rest):
                self._refuse(rest, self._doubt(given, rest, hook))
                return
            given.assign(rest)
        self._answer([given])
        for entry in rest:
            self._close(entry, State.RAISED, self._unanswered())
        for document, number in zip(given.documents, given.numbers, strict=True):
            if document is not None and number in (None, NO_ROW):
                self._report(NO_ROW, [document])

    # Rules ------------------------------------------------------------------------------------

    def _pointed_at(self, item: Row) -> int | None:
        """The number of the row that a document points at itself; None if it does not."""
        if isinstance(item, Answer):
            return NO_ROW if item.ticket is None else item.ticket.number
        entry = self._by_identity.get(id(item))
        return None if entry is None else entry.number

    def _owners(self, entry: Entry, given: Given, released: list[Entry]) -> list[Entry] | None:
        """The rows that the loose documents answer, in order; None if that cannot be told."""
        count = given.loose
        if given.bare:
            return None if self._has_conflict(released) else [entry]
        if self._loses_rows:
            return None
        if not released:
            return None if self._others([entry], [given]) else [entry] * count
        if entry.number < 0:
            return released if count == len(released) else None
        stays = entry.number in given.numbers or entry.is_kept_for_long()
        let_go = released if stays else [*released, entry]
        # One document, or one beside a drop document, could as well be for the row in hand.
        return None if given.drops or count == 1 or count != len(let_go) else let_go

    def _has_conflict(self, released: list[Entry]) -> bool:
        """Whether a document returned alone could be for a row that the call let go of."""
        certain = (State.OPEN, State.REFUSED)
        return any(
            entry.state in certain or (entry.state is State.RAISED and self._keeps_rows)
            for entry in released
        )

    def _others(self, entries: list[Entry], givens: list[Given]) -> bool:
        """Whether any further row is kept, and not answered in this call."""
        known = _numbers(givens).union(entry.number for entry in entries)
        return any(
            number not in known and entry.state is not State.IDLE
            for number, entry in self._entries.items()
        )

    def _released(self, entries: list[Entry], givens: list[Given]) -> list[Entry]:
        """Rows of earlier calls that the script has let go of, and has not pointed at; by age."""
        if len(self._entries) == len(entries) == 1:
            return []
        spared = _numbers(givens).union(entry.number for entry in entries)
        others = [entry for entry in self._entries.values() if entry.number not in spared]
        return [entry for entry in others if not entry.is_kept()]

    # Outcomes ---------------------------------------------------------------------------------

    def _report(self, number: int, answer: list[Row] | FailedError) -> None:
        """A row is done with. One whose documents cannot be sent fails for that reason."""
        try:
            self._outbox.add((number, answer))
        except Unsendable as error:
            self._outbox.add((number, FailedError(*unsendable("the script", error))))

    def _answer(self, givens: list[Given]) -> None:
        """Pass on the documents whose rows are known. Those of rows that are done are left out."""
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
                if entry.state is State.OPEN:
                    self._report(number, documents)
                self._remove(entry)

    def _lose(self, released: list[Entry]) -> None:
        for entry in released:
            if entry.number in self._entries:
                self._drop(entry)
                self._loses_rows |= entry.owes

    def _put_aside(self, entry: Entry, given: Given) -> None:
        """The row in hand, if it was not answered: it was dropped, kept or lost."""
        if entry.number not in self._entries or entry.state is not State.OPEN:
            return
        if given.drops:
            self._drop(entry)
        elif entry.is_kept_for_long():
            if entry.owes:
                self._keeps_rows = True
            else:
                self._close(entry, State.IDLE, None)
            if entry.is_ticket_only():  # what the script has let go of need not take memory here
                del self._by_identity[id(entry.row)]
                entry.row = None
        else:
            self._lose([entry])

    def _drop(self, entry: Entry) -> None:
        if entry.state is State.OPEN:
            self._report(entry.number, [])
        self._remove(entry)

    def _refuse(self, entries: list[Entry], told: Failure) -> None:
        if not any(entry.owes for entry in entries):
            install.warn(f"{told[1]}: they are left out. {told[2]}")
        for entry in entries:
            if entry.number > 0:
                self._loses_rows |= not entry.is_kept()
                self._close(entry, State.REFUSED, told)
            else:
                self._close(entry, State.IDLE, None)

    def _close(self, entry: Entry, state: State, told: Failure | None) -> None:
        """A row is done with. While the script keeps it, it may still give a document for it."""
        if entry.state is State.OPEN and entry.number in self._entries:
            self._report(entry.number, [] if told is None else FailedError(*told))
        entry.state = state if entry.number > 0 else State.IDLE
        if not entry.is_kept_for_long():
            self._remove(entry)

    def _remove(self, entry: Entry) -> None:
        self._entries.pop(entry.number, None)
        if entry.row is not None:
            self._by_identity.pop(id(entry.row), None)
            entry.row = None

    # Messages ---------------------------------------------------------------------------------

    def _doubt(self, given: Given, released: list[Entry], hook: Any) -> Failure:
        count = given.loose
        if given.bare:
            what, why = "a document", "a document returned alone is for the row in hand"
        else:
            what = f"a list with {count} document{'s' * (count != 1)} that no row is named for"
            why = "a list must hold one document for each row that the call let go of"
        if not given.bare and self._loses_rows:
            why = (
                "the script has returned None for a row that it did not keep, or raised for a "
                "batch, so it may have kept parts of rows"
            )
        elif released:
            why += f", but the call let go of rows that were kept ({len(released)})"
        code = getattr(hook, "__code__", None)
        place = f"{self._script}, line {code.co_firstlineno}" if code else self._script
        return (
            f"Python script error in {self._script}",
            f"it cannot be told which rows are answered by what {getattr(hook, '__name__', 'it')} "
            f"returned, {what}: {why} ({place})",
            _REMEDY,
            "",
        )

    def _unanswered(self) -> Failure:
        return (
            f"Python script error in {self._script}",
            "the script has kept the row, and has ended without an answer to it",
            "Answer what was kept in snaplogic_final, or return slt.get_drop_doc() for a row that "
            "gets no answer.",
            "",
        )


def _numbers(givens: Iterable[Given]) -> set[int | None]:
    return {number for given in givens for number in given.numbers}


def _is_silent(entry: Entry, given: Given, answered: set[int | None]) -> bool:
    """Whether a batch says nothing of a row, so that a later result may be about it."""
    return not (given.loose or given.drops or entry.number in answered)


_used: list[Tracker] = []


def use(tracker: Tracker) -> None:
    """Make `tracker` the one that SLTool asks; a script's process has one at most."""
    _used[:] = [tracker]


def current() -> Tracker | None:
    return _used[0] if _used else None
