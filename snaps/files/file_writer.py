"""Write each binary stream to a file, which appears under its name only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    FileAction,
    FileTarget,
    Foreign,
    Header,
    Settings,
    StreamEnd,
    StreamSnap,
    StreamStart,
    View,
    Views,
    json_hook,
    setting,
)

Outcome = Literal["created", "overwritten", "appended", "ignored"]


class FileWriterSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on the header of the stream, such as `$['content-location']`.",
        example="out/result.json",
    )
    file_action: FileAction = setting(
        default="overwrite",
        help="What to do if the file exists: `overwrite` it, `append` to it, `ignore` the stream, "
        "or `error`: the stream fails.",
    )
    write_empty_file: bool = setting(
        default=False,
        help="Write a file for a stream without bytes; else such a stream leaves the file as it "
        "was, also one of an earlier run, and its result is `ignored` with a `reason`.",
    )
    create_dir: bool = setting(default=False, help="Make the folder of the file if it is missing.")
    write_header_file: bool = setting(
        default=False, help="Write the header of the stream as JSON to `<file>.header` as well."
    )


class FileWriter(StreamSnap[FileWriterSettings]):
    since = "0.1.0"
    writes = True
    about = """
    The file appears under its name when its stream is complete; until then the old one stays. The
    name may come from the header of the stream. For each stream there is one document that says
    what was done.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-write",
        "File Writer",
        settings={
            "filename": "file",
            "fileAction": "file_action",
            "writeEmptyFile": "write_empty_file",
            "createDir": "create_dir",
            "writeHeader": "write_header_file",
        },
    )
    views = Views(inputs=(View("input", "binary", unlinked="refused"),))
    single = True
    replayable = False
    blocking = True
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
            "a stream without bytes leaves an older file as it was",
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

    def open(self) -> None:
        self._target: FileTarget | None = None
        self._beside: FileTarget | None = None
        self._interrupted = False

    def begin(self, header: Header) -> tuple[()]:
        self._original = header
        self._url = self.context.value(self.settings.file, header)
        self._outcome = self._plan_outcome()
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        if self._outcome != "ignored" and chunk:
            if self._target is None:
                self._target = self._write_aside(self._url)
            self._target.write(chunk)
        return ()

    def end(self) -> Iterator[Document]:
        if self._target is None and self.settings.write_empty_file and self._outcome != "ignored":
            self._target = self._write_aside(self._url)
        result: Document = {"filename": self.context.files.locate(self._url)}
        if self._target is not None:
            self._commit(self._target)
            result["result"] = self._outcome
        else:
            result["result"] = "ignored"
            result |= self._reason()
        yield {**result, "original": self._original}

    def _reason(self) -> Document:
        """Why nothing was written, unless that is what `file_action` asks for."""
        if self._outcome == "ignored":
            return {}
        kept = "not made" if self._outcome == "created" else "left as it was"
        reason = f"nothing to write, {self._url} is {kept}"
        self.context.show(reason)
        return {"reason": reason}

    def abandon(self) -> None:
        for target in (self._target, self._beside):
            if target is not None:
                target.discard()
        self._target = self._beside = None

    def interrupt(self) -> None:
        self._interrupted = True
        for target in (self._target, self._beside):
            if target is not None:
                target.abort()

    def close(self) -> None:
        self.abandon()

    def _plan_outcome(self) -> Outcome:
        if self.context.files.size(self._url, to="write") is None:
            return "created"
        if self.settings.file_action == "error":
            raise DataError(
                "cannot write the file",
                f"the file {self._url!r} exists, and file_action is 'error'",
                "remove the file, give another name, or set file_action to overwrite, append or "
                "ignore",
            )
        outcomes: dict[str, Outcome] = {
            "overwrite": "overwritten",
            "append": "appended",
            "ignore": "ignored",
        }
        return outcomes[self.settings.file_action]

    def _write_aside(self, url: str, action: FileAction | None = None) -> FileTarget:
        return self.context.files.write(
            url, action or self.settings.file_action, create_folder=self.settings.create_dir
        )

    def _commit(self, target: FileTarget) -> None:
        if self.settings.write_header_file:
            header = self._encoded_header()
            self._beside = self._write_aside(f"{self._url}.header", "overwrite")
            self._beside.write(header)
        if self._interrupted:  # perhaps before the target was there to be aborted
            self.interrupt()
        target.commit()
        if self._beside is not None:
            self._beside.commit()
        self._target = self._beside = None

    def _encoded_header(self) -> bytes:
        try:
            return msgspec.json.encode(self._original, enc_hook=json_hook)
        except (TypeError, ValueError, OverflowError, RecursionError, DataError) as error:
            raise DataError(
                "cannot write the header of the stream as JSON",
                str(error),
                "change the header where the stream is made, or set write_header_file to false",
            ) from error
