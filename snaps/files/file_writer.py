"""Write each binary stream to a file, which appears under its name only when it is complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING, Literal

from engine.sdk import (
    AbsentError,
    Account,
    DataError,
    Document,
    Evaluated,
    Example,
    FileAction,
    FileName,
    FileTarget,
    Foreign,
    Header,
    Issue,
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
    to_json,
)

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile
from snaps.files.shared.retries import (
    Retries,
    check_retries,
    interval_setting,
    retries_setting,
)
from snaps.files.shared.s3 import account_setting, files_with

Outcome = Literal["created", "overwritten", "appended", "ignored"]
HELD = 8 * 1024 * 1024
"""Bytes of a stream that are held in memory in case it has to be written again."""


class FileWriterSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on the header of the stream, such as `$['content-location']`.",
        example="out/result.json",
    )
    file_action: FileAction = setting(
        default="overwrite",
        help="What to do if the file exists: `overwrite` it, `append` to it, `ignore` the stream, "
        "or `error`: the stream fails. Two FileWriters may name one file only if both append.",
    )
    write_empty_file: bool = setting(
        default=False,
        help="Write a file for a stream without bytes; otherwise such a stream leaves an existing "
        "file unchanged, and its result is `ignored` with a `reason`.",
    )
    create_dir: bool = setting(default=False, help="Make the folder of the file if it is missing.")
    write_header_file: bool = setting(
        default=False, help="Write the header of the stream as JSON to `<file>.header` as well."
    )
    validate: bool = setting(
        default=False,
        help="Check afterwards that the file exists and has the number of bytes that were written; "
        "otherwise the stream fails.",
    )
    retries: Evaluated[int] = retries_setting(
        "How often to retry if the file cannot be written. With retries, writing starts only when "
        "the stream is complete."
    )
    retry_interval: Evaluated[float] = interval_setting()
    account: Account[S3Account] | None = account_setting()
    allow_outside: bool = outside_setting()


class FileWriter(StreamSnap[FileWriterSettings]):
    since = "0.1.0"
    writes = True
    would = "write {items} to {file}"
    about = """
    The file appears under its name when its stream is complete; until then the old one stays. The
    name may come from the header of the stream. The output has one document for each stream that
    says what was done.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-write",
        "File Writer",
        aliases=("com-snaplogic-snaps-binary-s3filewriter",),
        version=3,
        settings={
            "filename": "file",
            "fileAction": "file_action",
            "writeEmptyFile": "write_empty_file",
            "createDir": "create_dir",
            "writeHeader": "write_header_file",
            "validate": "validate",
            "retries": "retries",
            "retryInterval": "retry_interval",
        },
        choices={
            "fileAction": {
                "OVERWRITE": "overwrite",
                "APPEND": "append",
                "IGNORE": "ignore",
                "ERROR": "error",
            }
        },
        defaults={"cannedAcls": "None"},
        ignored=("flushIntervalKb", "preventURLEncoding", "bufferSize", "maxUploadThread"),
        unsupported={
            "UserPermissionsKey": "access rights of the file",
            "advancedProperties": "properties of the protocol",
            "cannedAcls": "access rights of S3 objects",
            "acl": "access rights of S3 objects",
        },
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    single = True
    replayable = False
    blocking = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = ""
    examples = (
        Example(
            "the result says what was done, and to which stream",
            settings={"file": "out.txt"},
            given=[StreamStart({"content-type": "text/plain"}), b"hel", b"lo", StreamEnd()],
            expect=[
                {
                    "filename": "out.txt",
                    "result": "created",
                    "original": {"content-type": "text/plain"},
                }
            ],
            leaves={"out.txt": "hello"},
        ),
        Example(
            "an existing file is kept",
            settings={"file": "out.txt", "file_action": "ignore"},
            files={"out.txt": "old"},
            given=[StreamStart(), b"new", StreamEnd()],
            expect=[{"filename": "out.txt", "result": "ignored", "original": {}}],
            leaves={"out.txt": "old"},
        ),
        Example(
            "an empty stream leaves an existing file unchanged",
            settings={"file": "out.txt"},
            files={"out.txt": "old"},
            given=[StreamStart(), StreamEnd()],
            expect=[
                {
                    "filename": "out.txt",
                    "result": "ignored",
                    "reason": "nothing to write, out.txt is left as it was",
                    "original": {},
                }
            ],
            leaves={"out.txt": "old"},
        ),
        Example(
            "a broken stream leaves no trace",
            settings={"file": "out.txt"},
            files={"out.txt": "old"},
            given=[StreamStart(), b"new", StreamEnd(broken=True)],
            leaves={"out.txt": "old"},
        ),
    )

    @classmethod
    def check(cls, settings: FileWriterSettings) -> Iterable[Issue]:
        yield from check_retries(settings)

    @classmethod
    def files_written(cls, settings: FileWriterSettings) -> Iterable[WrittenFile]:
        yield WrittenFile(
            ("file",),
            settings.file,
            shared=settings.file_action == "append",
            action=settings.file_action,
            creates_folder=settings.create_dir,
            allow_outside=settings.allow_outside,
        )

    def open(self) -> None:
        self._target: FileTarget | None = None
        self._header_target: FileTarget | None = None
        self._held: SpooledTemporaryFile[bytes] | None = None
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)

    def begin(self, header: Header) -> tuple[()]:
        self._original = header
        self._name = self._name_for(header)
        self._files.locate(self._name)  # retries cannot help with a wrong name
        self._retries = Retries(self.settings, self.context, header, self._ended)
        self._size = self._retries.run(self._size_before)
        self._outcome = self._plan_outcome()
        self._count = 0
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        if self._outcome != "ignored" and chunk:
            self._count += len(chunk)
            if self._retries.count:
                self._hold().write(chunk)
            else:
                self._begun().write(chunk)
        return ()

    def end(self) -> Iterator[Document]:
        result: Document = {"filename": self._files.locate(self._name)}
        is_wanted = self._count or self.settings.write_empty_file
        if is_wanted and self._outcome != "ignored":
            if self._retries.count:
                self._hold()
            self._retries.run(self._write)
            result["result"] = self._outcome
        else:
            result["result"] = "ignored"
            result |= self._reason()
        self.abandon()
        yield {**result, "original": self._original}

    def finish(self) -> tuple[()]:
        self._files.sync()
        return ()

    def abandon(self) -> None:
        self._discard_targets()
        if self._held is not None:
            self._held.close()
            self._held = None

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()
        for target in (self._target, self._header_target):
            if target is not None:
                target.abort()

    def close(self) -> None:
        self.abandon()

    def _discard_targets(self) -> None:
        for target in (self._target, self._header_target):
            if target is not None:
                target.discard()
        self._target = self._header_target = None

    def _name_for(self, header: Header) -> FileName:
        file, outside = self.settings.file, self.settings.allow_outside
        try:
            return self.context.file(file, header, allow_outside=outside)
        except AbsentError as error:
            fields = ", ".join(map(repr, header)) or "no fields"
            hint = (
                f"the name is computed from the header of the stream, which has {fields}; "
                "let the formatter add what you need, as in header: {$name: $name}"
            )
            raise AbsentError(
                error.message, error.text, error.offset, error.length, hint
            ) from error

    def _size_before(self) -> int | None:
        return self._files.size(self._name, to="write")

    def _plan_outcome(self) -> Outcome:
        if self._size is None:
            return "created"
        if self.settings.file_action == "error":
            raise DataError(
                "cannot write the file",
                f"the file {self._name.text!r} exists, and file_action is 'error'",
                "remove the file, use another name, or set file_action to overwrite, append or "
                "ignore",
            )
        outcomes: dict[str, Outcome] = {
            "overwrite": "overwritten",
            "append": "appended",
            "ignore": "ignored",
        }
        return outcomes[self.settings.file_action]

    def _reason(self) -> Document:
        """Why nothing was written, unless `file_action` asks for that."""
        if self._outcome == "ignored":
            return {}
        kept = "not made" if self._outcome == "created" else "left as it was"
        reason = f"nothing to write, {self._name} is {kept}"
        self.context.show(reason)
        return {"reason": reason}

    def _hold(self) -> SpooledTemporaryFile[bytes]:
        if self._held is None:
            from tempfile import SpooledTemporaryFile  # most files are written at once

            self._held = SpooledTemporaryFile(HELD)  # noqa: SIM115  # closed by abandon
        return self._held

    def _begun(self) -> FileTarget:
        if self._target is None:
            self._target = self._write_aside(self._name, self.settings.file_action)
        return self._target

    def _write(self) -> None:
        """Put the file in place; with retries, each try writes all of it."""
        if self._held is not None:
            self._discard_targets()  # those of a failed try
            self._held.seek(0)
            while chunk := self._held.read(HELD):
                self._begun().write(chunk)
        self._commit(self._begun())
        if self.settings.validate:
            self._check_size()

    def _write_aside(self, name: FileName, action: FileAction) -> FileTarget:
        return self._files.write(name, action, create_folder=self.settings.create_dir)

    def _commit(self, target: FileTarget) -> None:
        if self.settings.write_header_file:
            header = self._encoded_header()
            self._header_target = self._write_aside(self._name.beside(".header"), "overwrite")
            self._header_target.write(header)
        if self._ended.is_set():  # perhaps before there was a target to abort
            self.interrupt()
        target.commit()
        if self._header_target is not None:
            self._header_target.commit()
        self._target = self._header_target = None

    def _check_size(self) -> None:
        """Check the size; an appended file may have grown more, since others may append to it."""
        appends = self._outcome == "appended"
        expected = self._count + (self._size or 0 if appends else 0)
        found = self._files.size(self._name)
        if found is None or found < expected or (found > expected and not appends):
            located = self._files.locate(self._name)
            there = "it does not exist" if found is None else f"it has {found:,} bytes"
            raise DataError(
                f"the file {located!r} differs from what was written",
                f"{there} instead of {expected:,} bytes",
                "check whether another program changes it, and check the disk",
            )

    def _encoded_header(self) -> bytes:
        try:
            return to_json(self._original, "the header of the stream")
        except DataError as error:
            resolution = (
                "change the header where the stream is created, or set write_header_file to false"
            )
            raise DataError(error.error, error.reason, resolution) from None
