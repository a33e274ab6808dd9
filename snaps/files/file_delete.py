"""Delete files: one for each input document, or a single one without an input link."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event
from typing import Literal

from engine.sdk import (
    Account,
    DataError,
    Document,
    Evaluated,
    Example,
    Foreign,
    Issue,
    S3Account,
    Settings,
    Snap,
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


class FileDeleteSettings(Settings):
    file: Evaluated[str] = setting(
        help="The file: relative to the pipeline file, `sldb:///` in the project, or a URL. An "
        "expression is evaluated on each input document.",
        example="= $Path",
    )
    delete_action: Literal["error", "ignore"] = setting(
        default="error",
        help="What to do if the file does not exist: the document fails with an `error`, or "
        "`ignore` it and go on.",
    )
    retries: Evaluated[int] = retries_setting("How often to retry if the file cannot be deleted.")
    retry_interval: Evaluated[float] = interval_setting()
    account: Account[S3Account] | None = account_setting()
    allow_outside: bool = outside_setting()


class FileDelete(Snap[FileDeleteSettings]):
    since = "0.4.0"
    writes = True
    would = "delete {file}"
    about = """
    Folders are not deleted. The output has one document for each file, with `file` and `status`:
    `200 OK`, or `404 Not Found` for a missing file that is ignored.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-binary-delete",
        "File Delete",
        version=1,
        settings={
            "filePath": "file",
            "deleteAction": "delete_action",
            "retries": "retries",
            "retryInterval": "retry_interval",
        },
        choices={
            "deleteAction": {
                "ERROR if file not found": "error",
                "IGNORE if file not found": "ignore",
            }
        },
        ignored=("validate", "preventURLEncoding"),
        unsupported={"advancedProperties": "properties of the protocol"},
        views={"input101": "input"},
    )
    views = Views(inputs=(View("input", unlinked="starts by itself"),))
    stateful = False
    replayable = False
    plain = True
    changes_input = False
    shares_output = False
    blocking = True
    examples = (
        Example(
            "the output says which file was deleted",
            settings={"file": "= $name"},
            files={"old.txt": "old", "new.txt": "new"},
            given=[{"name": "old.txt"}],
            expect=[{"file": "<project>/old.txt", "status": "200 OK"}],
            leaves={"new.txt": "new"},
        ),
        Example(
            "a missing file is ignored",
            settings={"file": "= $name", "delete_action": "ignore"},
            given=[{"name": "gone.txt"}],
            expect=[{"file": "<project>/gone.txt", "status": "404 Not Found"}],
        ),
    )

    @classmethod
    def check(cls, settings: FileDeleteSettings) -> Iterable[Issue]:
        yield from check_retries(settings)

    def open(self) -> None:
        self._ended = Event()
        self._files = files_with(self.context, self.settings.account)

    def process(self, document: Document) -> Document:
        settings, files = self.settings, self._files
        name = self.context.file(settings.file, document, allow_outside=settings.allow_outside)
        located = files.locate(name)
        retries = Retries(settings, self.context, document, self._ended)
        if retries.run(lambda: files.size(name, to="delete")) is None:
            if settings.delete_action == "ignore":
                return {"file": located, "status": "404 Not Found"}
            raise DataError(
                f"cannot delete the file {located!r}",
                "the file does not exist",
                "check the name, or set delete_action to ignore",
            )
        retries.run(lambda: files.remove(name))
        return {"file": located, "status": "200 OK"}

    def interrupt(self) -> None:
        self._ended.set()
        self.context.files.interrupt()
