"""List the files and folders in a folder, one document for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import Event

from engine.sdk import (
    Account,
    Document,
    Evaluated,
    Example,
    FileEntry,
    Foreign,
    Issue,
    S3Account,
    Settings,
    Snap,
    Value,
    View,
    Views,
    outside_setting,
    setting,
)
from snaps.files.shared.retries import (
    Retries,
    check_retries,
    interval_setting,
    retries_setting,
)
from snaps.files.shared.s3 import account_setting, files_with

_INPUTS = (View("input", unlinked="starts by itself"),)


class DirectoryBrowserSettings(Settings):
    directory: Evaluated[str] = setting(
        help="The folder: relative to the pipeline file, `sldb:///` in the project, or a URL such "
        "as `s3://bucket/folder`. An expression is evaluated on each input document.",
        example="data/incoming",
    )
    filter: Evaluated[str] = setting(
        default=Evaluated(value="*"),
        help="Which entries to list: a pattern with `*`, `?`, `[a-z]` and `{a,b}`, in which case "
        "matters. `**` reaches into folders: `**/*.csv`.",
        example="*.csv",
    )
    ignore_empty_result: bool = setting(
        default=True,
        help="Emit nothing if nothing matches. Otherwise the input document is passed on, or an "
        "empty document if there is no input.",
    )
    retries: Evaluated[int] = retries_setting("How often to retry if the folder cannot be listed.")
    retry_interval: Evaluated[float] = interval_setting()
    account: Account[S3Account] | None = account_setting()
    allow_outside: bool = outside_setting()


class DirectoryBrowser(Snap[DirectoryBrowserSettings]):
    since = "0.4.0"
    about = """
    Entries come sorted by path. `Path` is an absolute path for a local file, and otherwise the full
    URL: a FileReader takes both. Dates are text in UTC, which `Date.parse` reads; on Linux,
    `Creation date` is that of the last change of the entry, since it is all that the system knows.
    With an input document, each entry has it as `original`. Links to folders are not followed.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-directorybrowser",
        "Directory Browser",
        version=1,
        settings={
            "Directory": "directory",
            "Filter": "filter",
            "ignoreEmptyResult": "ignore_empty_result",
            "retries": "retries",
            "retryInterval": "retry_interval",
        },
        ignored=("s3SubfolderMetadataProp",),
        unsupported={"advancedProperties": "properties of the protocol"},
        views={"in": "input", "out": "output"},
    )
    views = Views(inputs=_INPUTS)
    stateful = False
    plain = True
    changes_input = False
    blocking = True
    examples = (
        Example(
            "nothing matches, so the input document is passed on",
            settings={"directory": "= $folder", "filter": "*.csv", "ignore_empty_result": False},
            files={"in/a.txt": "A"},
            given=[{"folder": "in"}],
            expect=[{"folder": "in"}],
        ),
    )

    @classmethod
    def check(cls, settings: DirectoryBrowserSettings) -> Iterable[Issue]:
        yield from check_retries(settings)

    def open(self) -> None:
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)
        self._has_input = self.context.linked("input")

    def process(self, document: Document) -> Iterator[Document]:
        settings = self.settings
        folder = self.context.file(
            settings.directory, document, allow_outside=settings.allow_outside
        )
        pattern = self.context.value(settings.filter, document)
        retries = Retries(settings, self.context, document, self._ended)
        found = retries.run(lambda: list(self._files.entries(folder, pattern)))
        original: Document = {"original": document} if self._has_input else {}
        for entry in found:
            yield {**described(entry), **original}
        if not found and not settings.ignore_empty_result:
            yield document

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()


def described(entry: FileEntry) -> dict[str, Value]:
    return {
        "Name": entry.name,
        "Type": "directory" if entry.is_folder else "file",
        "Size (in bytes)": entry.size,
        "Owner": entry.owner,
        "Creation date": _text(entry.created),
        "Update date": _text(entry.updated),
        "Permissions": entry.permissions,
        "Path": entry.path,
    }


def _text(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
