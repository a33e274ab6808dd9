"""Record the first documents in a file, and replay them when there are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Evaluated,
    Example,
    Expression,
    FileName,
    Foreign,
    Issue,
    Settings,
    Snap,
    WrittenFile,
    excerpt,
    json_value,
    setting,
    to_json,
)
from snaps.shared.bounds import check_bounds

DEFAULT_FILE = "'sldb:///' + pipe.label + '-' + snap.label + '-' + snap.instanceId + '.json'"


class RecordReplaySettings(Settings):
    path: Evaluated[str] = setting(
        default=Evaluated(expression=Expression(DEFAULT_FILE), kind=str),
        help="The file. An expression may use parameters, `pipe` and `snap`.",
        example="samples/requests.json",
    )
    document_count: int = setting(default=10, help="How many documents to record.")
    replay_only: bool = setting(default=False, help="Never record; only replay.")


class RecordReplay(Snap[RecordReplaySettings]):
    since = "0.4.0"
    about = """
    In a task, or behind a link, all documents pass, and the first `document_count` of them are
    recorded in the file, as a JSON list; each run begins a new recording. In a run that gives its
    unlinked input nothing but one empty document, as one by hand does, the recorded documents are
    replayed instead, if the file exists. So a pipeline that a task calls can be developed with
    real requests.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-recordreplay",
        "Record Replay",
        version=1,
        settings={
            "pathExpr": "path",
            "docCount": "document_count",
            "replayOnly": "replay_only",
        },
    )
    writes = True
    would = "record {items} in {path}"
    loses_lineage = ""
    single = True
    blocking = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "documents pass and are recorded",
            settings={"path": "sample.json", "document_count": 2},
            given=[{"n": 1}, {"n": 2}, {"n": 3}],
            expect=[{"n": 1}, {"n": 2}, {"n": 3}],
            leaves={"sample.json": '[{"n":1},{"n":2}]'},
        ),
        Example(
            "without an input, they are replayed",
            settings={"path": "sample.json"},
            files={"sample.json": '[{"n": 1}, {"n": 2}]'},
            expect=[{"n": 1}, {"n": 2}],
            leaves={"sample.json": '[{"n": 1}, {"n": 2}]'},
        ),
    )

    @classmethod
    def check(cls, settings: RecordReplaySettings) -> Iterable[Issue]:
        return check_bounds(settings, "document_count")

    @classmethod
    def files_written(cls, settings: RecordReplaySettings) -> Iterable[WrittenFile]:
        if not settings.replay_only:
            yield WrittenFile(("path",), settings.path, creates_folder=True)

    def open(self) -> None:
        self._left = 0 if self.settings.replay_only else self.settings.document_count
        self._recorded: list[bytes] = []
        self._is_saved = True

    def process_batch(self, view: str, batch: Batch) -> Batch | Iterator[Mapping[str, Batch]]:
        if batch.items == [{}] and not self.context.linked("input") and not self.context.in_ultra:
            file = self._file()
            if self.context.files.size(file) is not None:
                return self._replay(file, batch)
        if self._left and batch.items != [{}]:
            self._record(batch.items[: self._left])
        return batch

    def finish(self) -> tuple[()]:
        self._save()
        return ()

    def interrupt(self) -> None:
        self.context.files.interrupt()

    def _replay(self, file: FileName, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        try:
            documents = self._recorded_in(file)
        except DataError as error:
            self.context.failed(error, batch.items[0])
        else:
            yield from self._collected(batch, "process_batch").batches(documents)

    def _record(self, documents: list[Document]) -> None:
        for document in documents:
            self._recorded.append(to_json(document))
        self._left -= len(documents)
        self._is_saved = False
        if not self._left or self.context.in_ultra:  # an ultra task has no end
            self._save()

    def _save(self) -> None:
        if self._is_saved:
            return
        target = self.context.files.write(self._file(), "overwrite", create_folder=True)
        try:
            target.write(b"[" + b",".join(self._recorded) + b"]")
            target.commit()
        finally:
            target.discard()
        self._is_saved = True

    def _file(self) -> FileName:
        return self.context.file(self.settings.path, {})

    def _recorded_in(self, file: FileName) -> list[Document]:
        data = b"".join(self.context.files.read(file))
        hint = "delete the file, and record it again"
        documents = json_value(data, f"the recording {file.text!r}", hint)
        if not isinstance(documents, list) or not all(isinstance(each, dict) for each in documents):
            reason = f"it holds {excerpt(documents)}, not a list of objects"
            raise DataError(f"the recording {file.text!r} cannot be replayed", reason, hint)
        return documents
