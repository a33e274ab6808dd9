"""How much each snap of a run may put out, and who may stop because nobody needs more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.documents import Batch, StreamStart
from engine.plan.plan import Plan

ENOUGH_BYTES = 1024 * 1024
"""Bytes of binary streams after which a snap stops if no other snap reads them."""

_MOST_ERRORS, _MOST_SKIPPED = 1_000, 16 * 1024 * 1024
"""Errors, and bytes of a stream that has failed, after which no documents are expected any more."""


class Quotas:
    """The quotas of the snaps of one run, by label.

    Without `cuts_streams`, a binary stream ends early only if documents are made of it, and a snap
    goes on looking for documents however many errors it finds.
    """

    def __init__(self, plan: Plan, limit: int, *, cuts_streams: bool) -> None:
        self.limit = limit
        self.cuts_streams = cuts_streams
        self._quotas: dict[str, Quota] = {}
        self._readers: dict[str, list[str]] = {}
        for link in plan.links:
            views = {view.name: view.type for view in plan.snap(link.source.label).outputs}
            if views.get(link.source.view) == "binary":
                self._readers.setdefault(link.source.label, []).append(link.target.label)

    def add(self, label: str, *, gives_documents: bool, interrupt: Callable[[], None]) -> Quota:
        quota = self._quotas[label] = Quota(
            self, label, gives_documents=gives_documents, interrupt=interrupt
        )
        return quota

    def readers_of(self, label: str) -> Iterator[Quota | None]:
        """The snaps that read the binary streams of a snap; None for one without a quota."""
        return (self._quotas.get(reader) for reader in self._readers.get(label, ()))

    def interrupt_senders(self, label: str) -> None:
        """Wake the snaps that wait for bytes which nobody needs any more."""
        for sender, readers in self._readers.items():
            quota = self._quotas.get(sender)
            if label in readers and quota is not None and quota.is_full:
                quota.interrupt()
                self.interrupt_senders(sender)


class Quota:
    """What one snap has put out so far: documents, binary streams, and their bytes.

    A snap that gives documents may give as many as the limit. One that gives binary streams stops
    when their readers need no more, or when it has `taken` enough bytes and no snap makes documents
    of what it gives. A snap that gives documents gives up if it finds only errors: a large file may
    have another format.
    """

    def __init__(
        self, quotas: Quotas, label: str, *, gives_documents: bool, interrupt: Callable[[], None]
    ) -> None:
        self._quotas = quotas
        self._label = label
        self._gives_documents = gives_documents
        self.interrupt = interrupt
        self._limit = quotas.limit
        self.documents = self.streams = self.size = self.taken = self.errors = self.skipped = 0

    @property
    def is_full(self) -> bool:
        if self._gives_documents:
            return self.documents >= self._limit or self._gives_up
        readers = list(self._quotas.readers_of(self._label))
        if readers and all(each is not None and each.is_full for each in readers):
            return True
        if not self._quotas.cuts_streams:
            return False
        if readers:
            return self.taken >= ENOUGH_BYTES and not self._leads_to_documents
        return self.streams >= self._limit or self.size >= ENOUGH_BYTES

    @property
    def _gives_up(self) -> bool:
        is_hopeless = self.errors >= max(self._limit, _MOST_ERRORS) or self.skipped > _MOST_SKIPPED
        return is_hopeless and self._quotas.cuts_streams

    @property
    def _leads_to_documents(self) -> bool:
        readers = self._quotas.readers_of(self._label)
        return self._gives_documents or any(
            reader is None or reader._leads_to_documents for reader in readers
        )

    def take(self, batch: Batch) -> Batch:
        """What is left of a batch that the snap puts out."""
        if batch.items and isinstance(batch.items[0], dict):
            batch = batch.at(range(min(len(batch), self._limit - self.documents)))
        self.count(batch)
        return batch

    def count(self, batch: Batch) -> None:
        for item in batch.items:
            if isinstance(item, bytes):
                self.size += len(item)
            elif isinstance(item, StreamStart):
                self.streams += 1
            elif isinstance(item, dict):
                self.documents += 1

    def end(self) -> None:
        """The snap has put out its last item."""
        self._quotas.interrupt_senders(self._label)
