"""Read files as binary streams: one per input document, or a single one without an input link."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

from engine.sdk import (
    Account,
    Document,
    Evaluated,
    Example,
    Expression,
    Foreign,
    Issue,
    ReadFile,
    S3Account,
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
from snaps.files.shared.reading import Pieces, pieces_of
from snaps.files.shared.retries import (
    Retries,
    check_retries,
    interval_setting,
    retries_setting,
)
from snaps.files.shared.s3 import account_setting, files_with


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
    account: Account[S3Account] | None = account_setting()
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
        aliases=("com-snaplogic-snaps-binary-s3filereader",),
        version=1,
        settings={
            "filePath": "file",
            "retries": "retries",
            "retryInterval": "retry_interval",
            "outputHeaders[].targetPath": "output_headers[].key",
            "outputHeaders[].expression": "output_headers[].value",
        },
        ignored=(
            "enableStaging",
            "preventURLEncoding",
            "suggestInterval",
            "suggestFullyQualifiedNames",
        ),
        unsupported={
            "advancedProperties": "properties of the protocol",
            "versionId": "a version of an S3 object",
            "getObjectTags": "the tags of an S3 object",
        },
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
    splits = True
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

    @classmethod
    def files_read(cls, settings: FileReaderSettings) -> Iterable[ReadFile]:
        yield ReadFile(("file",), settings.file, retries=settings.retries.value != 0)

    def open(self) -> None:
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)
        rows = [(path.text, item) for path, item in self.settings.output_headers.items()]
        self._headers = self.context.mapping(rows) if rows else None

    def process(self, document: Document) -> Pieces:
        file, outside = self.settings.file, self.settings.allow_outside
        name = self.context.file(file, document, allow_outside=outside)
        location = self._files.locate(name)  # retries cannot help with a wrong name
        retries = Retries(self.settings, self.context, document, self._ended)
        content = retries.run(lambda: self._files.read(name))
        yield from pieces_of(location, content, self._headers(document) if self._headers else {})

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()
