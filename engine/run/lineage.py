"""Keeps track of an ultra pipeline's requests that still need an answer.

A request enters as one live document. Snaps turn a document into none, one or many, so the ledger
counts the live ones: new documents enter, and finished documents leave. The first document that
reaches an open output answers its request. When the last live document of a request has left
without an answer, the request is also settled: as failed if one of its documents failed, otherwise
as filtered. A request that never gets that far, because a snap holds or has lost its document, is
left to the caller's timeout.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

import msgspec

from engine.documents import Document, Item, Lineage
from engine.run.numbered_tags import NumberedTags


class LedgerListener(Protocol):
    """Gets the outcome of each request once. May be called from any thread."""

    def answered(self, request: int, item: list[Item]) -> None:
        """A document, or all pieces of a binary stream, reached an output."""
        ...

    def filtered(self, request: int) -> None:
        """All documents of the request were dropped."""
        ...

    def failed(self, request: int, error: Document) -> None:
        """No document reached an output, and at least one failed.

        `error` is its error document, which names the snap in the field `snap`.
        """
        ...


class _Account(msgspec.Struct):
    live: int = 1
    error: Document | None = None
    abandoned: bool = False


class Ledger:
    """Counts the live documents of every request. Snaps may use it from several threads.

    If it `streams`, any number of documents may answer a request, and it is settled when none is
    live any more: as failed if one of them failed, otherwise as filtered. `tags` has the tags of
    the requests, as far as they are known.
    """

    def __init__(
        self, listener: LedgerListener, tags: NumberedTags | None = None, *, streams: bool = False
    ) -> None:
        self.streams = streams
        self.tags = tags or NumberedTags()
        self._listener = listener
        self._accounts: dict[int, _Account] = {}
        self._any_abandoned = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """The number of requests without an answer."""
        return len(self._accounts)

    def admit(self, requests: Iterable[int]) -> None:
        """Open an account for each request, with one live document."""
        with self._lock:
            for request in requests:
                self._accounts[request] = _Account()

    def enter(self, lineage: Iterable[Lineage]) -> None:
        """Add live documents to these requests."""
        accounts = self._accounts
        with self._lock:
            for line in lineage:
                for request in line:
                    if request in accounts:
                        accounts[request].live += 1

    def leave(self, lineage: Iterable[Lineage]) -> None:
        """Remove live documents from these requests, and settle requests that have none left."""
        accounts = self._accounts
        ended: list[tuple[int, _Account]] = []
        with self._lock:
            for line in lineage:
                for request in line:
                    account = accounts.get(request)
                    if account is not None:
                        account.live -= 1
                        if account.live <= 0:
                            ended.append((request, accounts.pop(request)))
        for request, account in ended:
            if account.error is None:
                self._listener.filtered(request)
            else:
                self._listener.failed(request, account.error)

    def fail(self, lineage: Lineage, error: Document) -> None:
        """Record a failed document. Another document may still answer its request."""
        with self._lock:
            for request in lineage:
                account = self._accounts.get(request)
                if account is not None and account.error is None:
                    account.error = error

    def abandon(self, request: int) -> None:
        """Nobody waits for the answer any more; it is settled as the others are."""
        account = self._accounts.get(request)
        if account is not None:
            account.abandoned = True
            self._any_abandoned = True

    def is_abandoned(self, lineage: Lineage) -> bool:
        """Whether nobody waits for any of these requests."""
        if not self._any_abandoned or not lineage:
            return False
        accounts = (self._accounts.get(request) for request in lineage)
        return all(account is not None and account.abandoned for account in accounts)

    def close(self) -> list[int]:
        """Close all accounts; returns the requests that will never get an answer."""
        with self._lock:
            unanswered, self._accounts = list(self._accounts), {}
        return unanswered

    def answer(self, lineage: Lineage, items: list[Item]) -> None:
        """Answer requests with a document or stream from an open output; the first one counts."""
        for request in lineage:
            with self._lock:
                find = self._accounts.get if self.streams else self._accounts.pop
                account = find(request, None)
            if account is not None:
                self._listener.answered(request, items)
