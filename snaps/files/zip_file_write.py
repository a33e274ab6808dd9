"""Write all binary streams into one zip archive, an entry for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Literal

from engine.sdk import (
    Account,
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    FileName,
    FileTarget,
    Foreign,
    Header,
    S3Account,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    WrittenFile,
    outside_setting,
    setting,
)
from snaps.files.shared.archives import ForwardFile, entry_name
from snaps.files.shared.s3 import account_setting, files_with

if TYPE_CHECKING:
    from zipfile import ZipFile


HELD = 8 * 1024 * 1024
"""Bytes of a stream that are held in memory until it is complete; more go to a temporary file."""


class ZipFileWriteSettings(Settings):
    file: Evaluated[str] = setting(
        help="The archive: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on the header of the first stream.",
        example="out/orders.zip",
    )
    entry: Evaluated[str] = setting(
        default=Evaluated(expression=Expression("$['content-location']")),
        help="The path in the archive, for each stream. Of a full path or a URL, the last part is "
        "used.",
        example="= 'orders/' + $name",
    )
    file_action: Literal["overwrite", "ignore", "error"] = setting(
        default="overwrite",
        help="What to do if the archive exists: `overwrite` it, `ignore` the streams, or `error`: "
        "they fail.",
    )
    create_dir: bool = setting(default=False, help="Make the folder of the file if it is missing.")
    account: Account[S3Account] | None = account_setting()
    allow_outside: bool = outside_setting()


class ZipFileWrite(StreamSnap[ZipFileWriteSettings]):
    since = "0.4.0"
    writes = True
    would = "write {items} into the archive {file}"
    about = """
    The archive appears under its name when all streams have ended; until then an old one stays. A
    stream that fails is left out of it. The output is one document, with the names of the entries.
    Without any stream, nothing is written.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-zip",
        "ZipFile Write",
        settings={"filename": "file", "fileAction": "file_action", "createDir": "create_dir"},
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    single = True
    replayable = False
    blocking = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = "writes all streams into one archive"
    examples = (
        Example(
            "two streams become two entries",
            settings={"file": "out.zip", "entry": "= $name"},
            given=[
                *(StreamStart({"name": "a.txt"}), b"A", StreamEnd()),
                *(StreamStart({"name": "more/b.txt"}), b"B", StreamEnd()),
            ],
            expect=[
                {
                    "filename": "out.zip",
                    "result": "created",
                    "entries": ["a.txt", "more/b.txt"],
                }
            ],
        ),
        Example(
            "an entry that would lead out of the archive is refused",
            settings={"file": "out.zip", "entry": "= $name"},
            given=[StreamStart({"name": "../a.txt"}), b"A", StreamEnd()],
            on_error="route",
            expect={
                "error": [
                    {
                        "error": "cannot add the stream to the archive",
                        "reason": "the name of its entry '../a.txt' leads out of the archive",
                        "resolution": "use a relative name without '..'",
                        "stacktrace": "cannot add the stream to the archive: the name of its entry "
                        "'../a.txt' leads out of the archive",
                        "snap_details": {"label": "snap"},
                        "original": {"name": "../a.txt"},
                    }
                ]
            },
        ),
    )

    @classmethod
    def files_written(cls, settings: ZipFileWriteSettings) -> Iterable[WrittenFile]:
        yield WrittenFile(
            ("file",),
            settings.file,
            action=settings.file_action,
            creates_folder=settings.create_dir,
            allow_outside=settings.allow_outside,
        )

    def open(self) -> None:
        self._files = files_with(self.context, self.settings.account)
        self._name: FileName | None = None
        self._target: FileTarget | None = None
        self._archive: ZipFile | None = None
        self._held: SpooledTemporaryFile[bytes] | None = None
        self._entries: dict[str, None] = {}
        self._ignores = self._interrupted = False

    def begin(self, header: Header) -> tuple[()]:
        if self._name is None:
            self._plan(header)
        self._entry = entry_name(self.context.value(self.settings.entry, header))
        if self._entry in self._entries:
            raise DataError(
                "cannot add the stream to the archive",
                f"it has an entry {self._entry!r} already",
                "give each stream its own name with entry",
            )
        self._held = SpooledTemporaryFile(HELD)  # noqa: SIM115  # closed by abandon
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        if self._held is not None and not self._ignores:
            self._held.write(chunk)
        return ()

    def end(self) -> Iterator[Document]:
        assert self._held is not None  # opened by begin
        if not self._ignores:
            self._held.seek(0)
            with self._opened().open(self._entry, "w", force_zip64=True) as entry:
                copyfileobj(self._held, entry, HELD)
            self._entries[self._entry] = None
        self.abandon()
        return iter(())

    def finish(self) -> Iterator[Document]:
        if self._name is None:
            return
        result: Document = {"filename": self._files.locate(self._name)}
        if self._archive is not None and self._target is not None:
            self._archive.close()
            if self._interrupted:  # perhaps before there was a target to abort
                self._target.abort()
            self._target.commit()
            self._target = self._archive = None
            yield {**result, "result": self._outcome, "entries": list(self._entries)}
        elif self._ignores:
            yield {**result, "result": "ignored", "entries": []}

    def abandon(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def interrupt(self) -> None:
        self._interrupted = True
        self.context.files.interrupt()
        if self._target is not None:
            self._target.abort()

    def close(self) -> None:
        self.abandon()
        if self._target is not None:
            self._target.discard()

    def _plan(self, header: Header) -> None:
        """Find out about the archive, once; the next stream tries again if it fails."""
        settings, files = self.settings, self._files
        name = self.context.file(settings.file, header, allow_outside=settings.allow_outside)
        exists = files.size(name, to="write") is not None
        if exists and settings.file_action == "error":
            raise DataError(
                "cannot write the file",
                f"the file {name.text!r} exists, and file_action is 'error'",
                "remove the file, use another name, or set file_action to overwrite or ignore",
            )
        self._ignores = exists and settings.file_action == "ignore"
        self._outcome = "overwritten" if exists else "created"
        self._name = name

    def _opened(self) -> ZipFile:
        if self._archive is None:
            from zipfile import ZIP_DEFLATED, ZipFile

            assert self._name is not None  # set by begin
            create = self.settings.create_dir
            action = self.settings.file_action
            self._target = self._files.write(self._name, action, create_folder=create)
            self._archive = ZipFile(ForwardFile(self._target.write), "w", ZIP_DEFLATED)
        return self._archive
