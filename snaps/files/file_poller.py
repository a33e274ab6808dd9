"""Wait for files: list those that match, again and again, until the time is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import Event
from time import monotonic

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Emission,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Settings,
    Snap,
    View,
    Views,
    outside_setting,
    setting,
)

_DAY = 86_400.0


class FilePollerSettings(Settings):
    directory: Evaluated[str] = setting(
        help="The folder: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on each input document.",
        example="data/incoming",
    )
    filter: Evaluated[str] = setting(
        default=Evaluated(value="*"),
        help="Which files to report: a pattern with `*`, `?`, `[a-z]` and `{a,b}`, in which case "
        "matters. Folders inside are not searched.",
        example="order-*.xml",
    )
    polling_interval: float = setting(default=10.0, help="Seconds between two looks.")
    polling_timeout: float = setting(
        default=0.0,
        help="Seconds after which to stop; 0 looks once, -1 continues until the pipeline is "
        "stopped.",
    )
    allow_outside: bool = outside_setting()


class FilePoller(Snap[FilePollerSettings]):
    since = "0.4.0"
    about = """
    Each look emits one document `{path}` for each matching file, also for those that an earlier
    look has emitted: delete or move a file when it is done. Each input document starts a poll;
    without an input link there is one.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-filepoller",
        "File Poller",
        version=1,
        settings={
            "directory": "directory",
            "filter": "filter",
            "pollingInterval": "polling_interval",
            "pollingTimeout": "polling_timeout",
        },
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    blocking = True
    flows = True
    examples = (
        Example(
            "no file matches",
            settings={"directory": "in", "filter": "*.xml"},
            files={"in/order.txt": ""},
        ),
        Example(
            "one look at the folder",
            settings={"directory": "in", "filter": "*.xml"},
            files={"in/order.txt": "", "in/b.xml": "", "in/a.xml": ""},
            expect=[{"path": "<project>/in/a.xml"}, {"path": "<project>/in/b.xml"}],
        ),
    )

    @classmethod
    def check(cls, settings: FilePollerSettings) -> Iterable[Issue]:
        interval, timeout = settings.polling_interval, settings.polling_timeout
        if not 0 < interval <= _DAY:
            message = f"polling_interval must be more than 0 and at most a day, got {interval}"
            yield Issue(("polling_interval",), message, "write a number of seconds")
        if timeout < 0 and timeout != -1:
            message = f"polling_timeout must be 0 or more, or -1, got {timeout}"
            yield Issue(("polling_timeout",), message, "write a number of seconds")

    def open(self) -> None:
        self._ended = Event()

    def process_batch(self, view: str, batch: Batch) -> Emission:
        return self._polled(batch)

    def _polled(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        for position, document in enumerate(batch.items):
            lineage = batch.lineage_of(position)
            emitted = False
            try:
                for found in self._looks(document):
                    emitted |= bool(found)
                    lineages = [lineage] * len(found) if batch.lineage is not None else None
                    yield {"output": Batch(found, lineages)}
            except DataError as error:
                self.context.failed(error, document, lineage)
                continue
            if not emitted:
                self.context.dropped(1, (lineage,))

    def _looks(self, document: Document) -> Iterator[list[Document]]:
        """What each look finds."""
        settings = self.settings
        name = self.context.file(settings.directory, document, allow_outside=settings.allow_outside)
        pattern = self.context.value(settings.filter, document)
        started = monotonic()
        while True:
            entries = self.context.files.entries(name, pattern.replace("**", "*"))
            yield [{"path": entry.path} for entry in entries if not entry.is_folder]
            left = settings.polling_timeout - (monotonic() - started)
            if settings.polling_timeout >= 0 and left < settings.polling_interval:
                return
            if self._ended.wait(settings.polling_interval):
                return

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()
