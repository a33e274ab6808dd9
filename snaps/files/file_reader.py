"""Read files as binary streams: one for each input document, or just one if nothing is linked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from mimetypes import guess_type
from threading import Event

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    Foreign,
    Header,
    Issue,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    TargetPath,
    View,
    Views,
    setting,
)

Pieces = Iterator[StreamStart | bytes | StreamEnd]
_DAY = 86_400


class FileReaderSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL such as "
        "`s3://bucket/name`. An expression is evaluated on each input document.",
        example="data/input.json",
    )
    retries: int = setting(default=0, help="How often to try again if the file cannot be opened.")
    retry_interval: float = setting(
        default=1.0, help="Seconds to wait before trying again, a day at most."
    )
    output_headers: dict[TargetPath, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression over the document.",
        example={"$source": "$name"},
    )


class FileReader(Snap[FileReaderSettings]):
    since = "0.1.0"
    about = """
    A relative name is relative to the pipeline file; `sldb:///` is the project folder, and other
    schemes such as `https` and `s3` are read where they are. The header of the stream says where
    it came from.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-simpleread",
        "File Reader",
        settings={
            "filePath": "file",
            "retries": "retries",
            "retryInterval": "retry_interval",
            "outputHeaders": "output_headers",
        },
    )
    views = Views(
        inputs=(View("input", unlinked="starts by itself"),), outputs=(View("output", "binary"),)
    )
    stateful = False
    blocking = True
    examples = (
        Example(
            "a text file, with its type and length in the header",
            settings={"file": "greeting.txt"},
            files={"greeting.txt": "hello"},
            expect=[
                StreamStart(
                    {
                        "content-location": "greeting.txt",
                        "content-type": "text/plain",
                        "content-length": 5,
                    }
                ),
                b"hello",
                StreamEnd(),
            ],
        ),
    )

    @classmethod
    def check(cls, settings: FileReaderSettings) -> Iterable[Issue]:
        if settings.retries < 0:
            message = f"{settings.retries} tries cannot be made"
            yield Issue(("retries",), message, "give 0 or more")
        if not 0 <= settings.retry_interval <= _DAY:
            yield Issue(
                ("retry_interval",),
                f"{settings.retry_interval} seconds cannot be waited",
                f"give a number from 0 to {_DAY}",
            )

    def open(self) -> None:
        self._ended = Event()
        rows = [(path.text, item) for path, item in self.settings.output_headers.items()]
        self._headers = self.context.mapping(rows) if rows else None

    def process(self, document: Document) -> Pieces:
        url = self.context.value(self.settings.file, document)
        self.context.files.locate(url)  # a name that is wrong is wrong at every try
        chunks = self._start_reading(url)
        yield StreamStart(self._header(url, document))
        try:
            yield from chunks
        except DataError:
            yield StreamEnd(broken=True)
            raise
        yield StreamEnd()

    def interrupt(self) -> None:
        self._ended.set()

    def _start_reading(self, url: str) -> Iterator[bytes]:
        """The chunks of a file that could be opened."""
        for _ in range(self.settings.retries):
            try:
                return self._first_chunk_and_rest(url)
            except DataError:
                if self._ended.wait(self.settings.retry_interval):
                    break
        return self._first_chunk_and_rest(url)

    def _first_chunk_and_rest(self, url: str) -> Iterator[bytes]:
        chunks = self.context.files.read(url)
        first = next(chunks, b"")
        return chain((first,) if first else (), chunks)

    def _header(self, url: str, document: Document) -> Header:
        header: Header = {
            "content-location": self.context.files.locate(url),
            "content-type": guess_type(url)[0] or "application/octet-stream",
        }
        if size := self.context.files.size(url):
            header["content-length"] = size
        if self._headers is not None:
            header |= self._headers(document)
        return header
