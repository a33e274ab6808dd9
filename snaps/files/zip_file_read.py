"""Read zip archives: one binary stream for each file in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from mimetypes import guess_type
from threading import Event
from typing import TYPE_CHECKING

from engine.sdk import (
    Account,
    DataError,
    Document,
    Evaluated,
    Example,
    Foreign,
    Issue,
    ReadFile,
    S3Account,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    outside_setting,
    setting,
)
from snaps.files.shared.archives import ratio_issues, ratio_setting
from snaps.files.shared.retries import (
    Retries,
    check_retries,
    interval_setting,
    retries_setting,
)
from snaps.files.shared.s3 import account_setting, files_with
from snaps.files.shared.unzipping import Archive

if TYPE_CHECKING:
    from zipfile import ZipInfo

_ARCHIVE = (
    "PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00!\x00G|\x06^\x08\x00\x00\x00\x08\x00\x00\x00"
    "\n\x00\x00\x00more/a.txthello 19"
    "PK\x01\x02\x14\x00\x14\x00\x00\x00\x00\x00\x00\x00!\x00G|\x06^\x08\x00\x00\x00\x08\x00\x00\x00"
    "\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00more/a.txt"
    "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x008\x00\x00\x000\x00\x00\x00\x00\x00"
)
Pieces = Iterator[StreamStart | bytes | StreamEnd]


class ZipFileReadSettings(Settings):
    file: Evaluated[str] = setting(
        help="The archive: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on each input document.",
        example="data/orders.zip",
    )
    retries: Evaluated[int] = retries_setting("How often to retry if the file cannot be opened.")
    retry_interval: Evaluated[float] = interval_setting()
    max_ratio: int = ratio_setting()
    account: Account[S3Account] | None = account_setting()
    allow_outside: bool = outside_setting()


class ZipFileRead(Snap[ZipFileReadSettings]):
    since = "0.4.0"
    about = """
    The header of each stream has `content-location` (the path in the archive), `content-type`,
    `content-length`, `last-modified` and `zip-filename`. An archive with a path that leads out of
    it is refused, and so is a zip bomb. An archive that is not on this machine is copied first.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-unzip",
        "ZipFile Read",
        version=1,
        settings={
            "filePath": "file",
            "retries": "retries",
            "retryInterval": "retry_interval",
        },
        ignored=("preventURLEncoding",),
        unsupported={"advancedProperties": "properties of the protocol"},
    )
    views = Views(
        inputs=(View("input", unlinked="starts by itself"),),
        outputs=(View("output", "binary"),),
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    blocking = True
    loses_lineage = "makes several streams of one archive"

    examples = (
        Example(
            "each file in the archive is a stream",
            settings={"file": "data.zip"},
            files={"data.zip": _ARCHIVE},
            expect=[
                StreamStart(
                    {
                        "content-location": "more/a.txt",
                        "content-type": "text/plain",
                        "content-length": 8,
                        "last-modified": "1980-01-01T00:00:00",
                        "zip-filename": "<project>/data.zip",
                    }
                ),
                b"hello 19",
                StreamEnd(),
            ],
        ),
    )

    @classmethod
    def check(cls, settings: ZipFileReadSettings) -> Iterable[Issue]:
        yield from check_retries(settings)
        yield from ratio_issues(settings.max_ratio)

    @classmethod
    def files_read(cls, settings: ZipFileReadSettings) -> Iterable[ReadFile]:
        yield ReadFile(("file",), settings.file, retries=settings.retries.value != 0)

    def open(self) -> None:
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)

    def process(self, document: Document) -> Pieces:
        settings, files = self.settings, self._files
        name = self.context.file(settings.file, document, allow_outside=settings.allow_outside)
        located = files.locate(name)
        retries = Retries(settings, self.context, document, self._ended)
        summary = f"cannot read the zip archive {located!r}"
        with (
            retries.run(lambda: files.seekable(name)) as file,
            Archive(file, summary, settings.max_ratio) as archive,
        ):
            for entry in archive.entries():
                yield StreamStart(_header(entry, located))
                try:
                    yield from archive.pieces(entry)
                except DataError:
                    yield StreamEnd(broken=True)
                    raise
                yield StreamEnd()

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()


def _header(entry: ZipInfo, located: str) -> dict[str, str | int]:
    year, month, day, hour, minute, second = entry.date_time
    return {
        "content-location": entry.filename,
        "content-type": guess_type(entry.filename)[0] or "application/octet-stream",
        "content-length": entry.file_size,
        "last-modified": f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
        "zip-filename": located,
    }
