"""Read files as binary streams: one for each input document, or just one if nothing is linked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from mimetypes import guess_type
from threading import Event

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    Header,
    Path,
    Settings,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    setting,
)

Pieces = Iterator[StreamStart | bytes | StreamEnd]


class FileReaderSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL such as "
        "`s3://bucket/name`. An expression is evaluated on each input document.",
        example="data/input.json",
    )
    retries: int = setting(default=0, help="How often to try again if the file cannot be opened.")
    retry_interval: float = setting(default=1.0, help="Seconds to wait before trying again.")
    output_headers: dict[Path, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression over the document.",
        example={"$source": "$name"},
    )


class FileReader(Snap[FileReaderSettings]):
    views = Views(inputs=(View("input"),), outputs=(View("output", "binary"),))
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

    def open(self) -> None:
        self._ended = Event()
        rows = [(path.text, item) for path, item in self.settings.output_headers.items()]
        self._headers = self.context.mapping(rows) if rows else None

    def process(self, document: Document) -> Pieces:
        url = self.context.value(self.settings.file, document)
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
