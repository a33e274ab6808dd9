"""The accounts of an ultra pipeline: which requests still owe an answer.

A request enters as one live document. Snaps turn a document into none, one or many, so the ledger
counts the live ones: whatever comes to be enters, whatever ends leaves. The first document that
reaches an open output answers its request. When the last live document of a request has left
without an answer, the request is settled too: as failed if one of its documents failed, else as
filtered. A request that never gets that far - a snap holds its document back, or has lost it - is
for whoever watches the time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Protocol

import msgspec

from engine.documents import Document, Item, Lineage


class Judge(Protocol):
    """Gets each outcome, once for each request. May be called from any thread."""

    def answered(self, request: int, item: list[Item]) -> None:
        """A document has reached an output, or all pieces of a binary stream."""
        ...

    def filtered(self, request: int) -> None:
        """All documents of the request were dropped."""
        ...

    def failed(self, request: int, error: Document) -> None:
        """No document reached an output, and at least one failed.

        `error` is its error document, and names its snap in the field `snap`.
        """
        ...


class _Account(msgspec.Struct):
    live: int = 1
    error: Document | None = None


class Ledger:
    """Counts the live documents of every request. Snaps in several threads write into it."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._accounts: dict[int, _Account] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Requests that owe an answer."""
        return len(self._accounts)

    def admit(self, requests: Iterable[int]) -> None:
        """Open an account for each request, with one live document."""
        with self._lock:
            for request in requests:
                self._accounts[request] = _Account()

    def enter(self, lineage: Iterable[Lineage]) -> None:
        """Further documents of these requests came to be."""
        accounts = self._accounts
        with self._lock:
            for line in lineage:
                for request in line:
                    if request in accounts:
                        accounts[request].live += 1

    def leave(self, lineage: Iterable[Lineage]) -> None:
        """Documents of these requests have ended; without a live one a request is settled."""
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
                self._judge.filtered(request)
            else:
                self._judge.failed(request, account.error)

    def fail(self, lineage: Lineage, error: Document) -> None:
        """A document failed. Its request may still be answered by another of its documents."""
        with self._lock:
            for request in lineage:
                account = self._accounts.get(request)
                if account is not None and account.error is None:
                    account.error = error

    def close(self) -> list[int]:
        """The requests that owe an answer and will never get one; their accounts are closed."""
        with self._lock:
            owing, self._accounts = list(self._accounts), {}
        return owing

    def answer(self, lineage: Lineage, items: list[Item]) -> None:
        """A document, or the pieces of a stream, has left through an open output: first wins."""
        for request in lineage:
            with self._lock:
                account = self._accounts.pop(request, None)
            if account is not None:
                self._judge.answered(request, items)
