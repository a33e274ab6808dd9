"""Read files as binary streams: one per input document, or a single one without an input link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Event

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    FileContent,
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
    outside_setting,
    setting,
)
from snaps.files.shared.retries import (
    Retries,
    check_retries,
    interval_setting,
    retries_setting,
)

Pieces = Iterator[StreamStart | bytes | StreamEnd]


class FileReaderSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL such as "
        "`https://host/name`, `s3://bucket/name` or `zip://member::archive.zip`. With `gzip::`, "
        "`bz2::` or `xz::` before the name it is decompressed. An expression is evaluated on each "
        "input document.",
        example="data/input.json",
    )
    retries: Evaluated[int] = retries_setting("How often to retry if the file cannot be opened.")
    retry_interval: Evaluated[float] = interval_setting()
    output_headers: dict[TargetPath, Expression] = setting(
        default={},
        help="Further fields of the stream's header: target path to expression over the document.",
        example={"$source": "$name"},
    )
    allow_outside: bool = outside_setting()


class FileReader(Snap[FileReaderSettings]):
    since = "0.1.0"
    about = """
    A relative name is relative to the pipeline file; `sldb:///` is the project folder, and other
    schemes such as `https` and `s3` are read in place. The header of the stream says where it
    came from.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-simpleread",
        "File Reader",
        version=1,
        settings={
            "filePath": "file",
            "retries": "retries",
            "retryInterval": "retry_interval",
            "outputHeaders[].targetPath": "output_headers[].key",
            "outputHeaders[].expression": "output_headers[].value",
        },
        ignored=("enableStaging", "preventURLEncoding"),
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
        yield from check_retries(settings)

    def open(self) -> None:
        self._ended = Event()
        rows = [(path.text, item) for path, item in self.settings.output_headers.items()]
        self._headers = self.context.mapping(rows) if rows else None

    def process(self, document: Document) -> Pieces:
        file, outside = self.settings.file, self.settings.allow_outside
        name = self.context.file(file, document, allow_outside=outside)
        location = self.context.files.locate(name)  # retries cannot help with a wrong name
        retries = Retries(self.settings, self.context, document, self._ended)
        content = retries.run(lambda: self.context.files.read(name))
        yield StreamStart(self._header(location, content, document))
        try:
            yield from content
        except DataError:
            yield StreamEnd(broken=True)
            raise
        yield StreamEnd()

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()

    def _header(self, location: str, content: FileContent, document: Document) -> Header:
        header: Header = {
            "content-location": location,
            "content-type": content.content_type or "application/octet-stream",
        }
        if content.size:
            header["content-length"] = content.size
        if self._headers is not None:
            header |= self._headers(document)
        return header
