"""What a snap gets from outside: the runtime hands it in, a test hands in a fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from engine.documents import NO_LINEAGE, Document, Lineage, Value
from engine.errors import DataError
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.settings import Evaluated, Expression, Path

T = TypeVar("T")
FileAction = Literal["overwrite", "append", "ignore", "error"]
Purpose = Literal["read", "write", "remove"]


class FileTarget(Protocol):
    """A file under writing. Nobody sees it before `commit`, which puts all there or nothing."""

    def write(self, data: bytes) -> object:
        """Add bytes. Raises DataError, as `commit` does."""
        ...

    def commit(self) -> None: ...
    def discard(self) -> None:
        """Leave no trace. Never raises; does nothing after `commit`."""
        ...

    def abort(self) -> None:
        """Make a commit that has yet to come, or to end, fail. Called from another thread."""
        ...


class Files(Protocol):
    """Files by URL: relative to the pipeline file, `sldb:///` in the project, `s3://`, ..."""

    def locate(self, url: str) -> str:
        """The full URL. Raises DataError if it leaves the project through `sldb:`."""
        ...

    def size(self, url: str, *, to: Purpose = "read") -> int | None:
        """Bytes of an existing file, None if there is no such file.

        `to` is what the caller is about to do with it, for the DataError if that is impossible.
        """
        ...

    def read(self, url: str) -> Iterator[bytes]:
        """The file in chunks. Raises DataError if it is missing or cannot be read."""
        ...

    def write(self, url: str, action: FileAction, *, create_folder: bool) -> FileTarget: ...

    def remove(self, url: str) -> None:
        """Remove a file if it is there. Raises DataError if that is impossible."""
        ...


class JsonPath(Protocol):
    """A compiled path into documents."""

    def get(self, document: Value, default: Any = ...) -> Value: ...
    def query(self, document: Value) -> list[Value]: ...
    def set(self, document: Value, value: Value) -> Value: ...
    def delete(self, document: Value) -> Value: ...


Function = Callable[[Document], Value]


class Context(Protocol):
    """The world of one snap while it runs."""

    @property
    def label(self) -> str: ...
    @property
    def folder(self) -> str:
        """The folder of the pipeline file; relative names start here."""
        ...

    @property
    def parameters(self) -> Mapping[str, str | None]: ...
    @property
    def pipe(self) -> Mapping[str, Any]:
        """Run information: label, instanceId, ruuid, projectPath, ..."""
        ...

    @property
    def files(self) -> Files: ...
    @property
    def scripts(self) -> ScriptExecutor: ...
    @property
    def http(self) -> HttpClient: ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the output views, with the members of a family: `output0`, `output1`."""
        ...

    @property
    def in_ultra(self) -> bool:
        """Whether documents carry requests, each of which is owed an answer."""
        ...

    @property
    def needed_fields(self) -> frozenset[str] | None:
        """The top-level fields of the output documents that anybody uses; None for all."""
        ...

    def linked(self, view: str) -> bool:
        """Whether a link uses the view."""
        ...

    def function(self, expression: Expression, *, null_safe: bool = False) -> Function:
        """The compiled expression. Called with a document, it raises ExpressionError."""
        ...

    def mapping(
        self,
        rows: Sequence[tuple[str, Expression | Path]],
        *,
        root: str = "$",
        null_safe: bool = False,
        pass_through: bool = False,
    ) -> Callable[[Document], Document]:
        """Rows of (target path, expression) as one function; an empty target deletes."""
        ...

    def path(self, path: Path) -> JsonPath: ...

    def value(self, setting: Evaluated[T], document: Document) -> T:
        """The setting for this document; DataError if its expression fails."""
        ...

    def failed(
        self, error: DataError, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        """Report a document that failed. Raises if `on_error` is to stop."""
        ...

    def dropped(self, count: int, lineage: Sequence[Lineage] = ()) -> None:
        """Acknowledge documents that end here."""
        ...

    def held(self, lineage: Sequence[Lineage]) -> None:
        """Documents of the batch in hand are kept: each stays live until it is released.

        HeldRows calls this and `released` at the right moments.
        """
        ...

    def released(self, lineage: Sequence[Lineage]) -> None:
        """Documents that were held are done with; what came of them was given before."""
        ...

    def show(self, text: str) -> None:
        """Show a line to the person who watches the run, under the snap's label."""
        ...
