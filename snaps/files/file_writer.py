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
        help="Write a file for a stream without bytes; else the result of such a stream is "
        "`ignored`.",
    )
    create_dir: bool = setting(default=False, help="Make the folder of the file if it is missing.")
    write_header_file: bool = setting(
        default=False, help="Write the header of the stream as JSON to `<file>.header` as well."
    )


class FileWriter(StreamSnap[FileWriterSettings]):
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
            "a broken stream leaves no trace",
            settings={"file": "out.txt"},
            files={"out.txt": "old"},
            given=[StreamStart(), b"new", StreamEnd(broken=True)],
            leaves={"out.txt": "old"},
        ),
    )

    def open(self) -> None:
        self._target: FileTarget | None = None

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
        if self._target is None:
            self._outcome = "ignored"
        else:
            self._commit(self._target)
        yield {
            "filename": self.context.files.locate(self._url),
            "result": self._outcome,
            "original": self._original,
        }

    def abandon(self) -> None:
        if self._target is not None:
            self._target.discard()
            self._target = None

    def close(self) -> None:
        self.abandon()

    def _plan_outcome(self) -> Outcome:
        if self.context.files.size(self._url) is None:
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
        if not self.settings.write_header_file:
            target.commit()
        else:
            header = msgspec.json.encode(self._original, enc_hook=json_hook)
            beside = self._write_aside(f"{self._url}.header", "overwrite")
            try:
                beside.write(header)
                target.commit()
            except DataError:
                beside.discard()
                raise
            beside.commit()
        self._target = None
