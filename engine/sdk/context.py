"""The interface between a snap and its environment. The runtime implements it; tests use fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from engine.documents import NO_LINEAGE, Document, Lineage, Value
from engine.errors import DataError, EngineError
from engine.sdk.children import ChildPipelines
from engine.sdk.files import FileName, Files
from engine.sdk.http import HttpClient
from engine.sdk.outside import OutsideCall
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.settings import Account, Evaluated, Expression, Path

if TYPE_CHECKING:
    from engine.sdk.accounts import AccountKind

K = TypeVar("K", bound="AccountKind")
R = TypeVar("R")
T = TypeVar("T")


class JsonPath(Protocol):
    """A compiled path into documents."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """The fields that it names, if it consists of nothing else."""
        ...

    @property
    def is_definite(self) -> bool:
        """Whether it leads to one value at most."""
        ...

    def get(self, document: Value, default: Any = ...) -> Value: ...
    def query(self, document: Value) -> list[Value]: ...
    def trails(self, document: Value) -> list[tuple[tuple[Value, ...], Value]]:
        """Every value, with the containers on the way to it: one for each step of the path."""
        ...

    def shared_steps(self, other: Self) -> int:
        """How many steps at their beginning are the same in both paths."""
        ...

    def onward(self, number: int) -> Self:
        """The path without its first steps, for the value to which they lead."""
        ...

    def set(self, document: Value, value: Value) -> Value: ...
    def delete(self, document: Value) -> Value: ...


Function = Callable[[Document], Value]


class Context(Protocol):
    """The environment of one snap while it runs."""

    @property
    def label(self) -> str: ...
    @property
    def folder(self) -> str:
        """The folder of the pipeline file; relative names are resolved in it."""
        ...

    @property
    def parameters(self) -> Mapping[str, str | None]: ...
    @property
    def pipe(self) -> Mapping[str, Any]:
        """Run information: label, instanceId, ruuid, projectPath, ..."""
        ...

    @property
    def idempotency_key(self) -> str:
        """What identifies the documents of the current call to those outside: the same if they are
        processed again because a copy of the snap was lost. Empty unless it runs in copies."""
        ...

    @property
    def files(self) -> Files: ...
    @property
    def scripts(self) -> ScriptExecutor: ...
    @property
    def http(self) -> HttpClient: ...
    @property
    def pipelines(self) -> ChildPipelines: ...

    @property
    def data_parameters(self) -> frozenset[str]:
        """The parameters whose values come from documents or callers, so they count as data."""
        ...

    def depends_on_data(self, setting: Evaluated[Any]) -> bool:
        """Whether a document or one of the `data_parameters` can change the value."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the input views as linked: of a family its members, in the order of their
        numbers, or of their links if some have other names."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the output views, including members of a family: `output0`, `output1`."""
        ...

    @property
    def in_ultra(self) -> bool:
        """Whether documents belong to requests, each of which must be answered."""
        ...

    @property
    def patience(self) -> float | None:
        """Seconds that a snap which `hurries` may wait now before it yields an empty map."""
        ...

    @property
    def is_copy(self) -> bool:
        """Whether other copies of the snap (`ByKey`) get the other documents.

        Then the lineage of a document is its place among those of all copies, and what the snap
        emits must carry that of the document which decides where it belongs.
        """
        ...

    def first_document(self, view: str) -> Document | None:
        """In a copy, the first document of the view that has a key, whoever gets it."""
        ...

    def all_finals(self, documents: list[Document]) -> list[Document] | None:
        """The last documents of this copy and of all others, to be combined; None if another one
        does that, to which these are then handed."""
        ...

    @property
    def needed_fields(self) -> frozenset[str] | None:
        """The top-level fields of the output documents that other snaps use; None for all."""
        ...

    def place_of(self, setting: str) -> tuple[str, int]:
        """The pipeline file, and the line at which Python in a setting begins; 0 if unknown."""
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

    def account(self, setting: Account[K], document: Document | None = None) -> K:
        """The account that a setting names, chosen for the run or, if given, for this document.

        Raises ConfigurationError if it cannot be used; DataError if that is due to the document.
        """
        ...

    def shared(self, account: K, make: Callable[[K], R]) -> R:
        """What all snaps of the run in this process share for an account, such as a pool of
        connections. `make`, a class or a function of a module, makes it for the first snap that
        asks; its `close`, if it has one, is called at the end of the run."""
        ...

    def conceal(self, text: str) -> None:
        """Never show this text, such as a token that an account was given."""
        ...

    def file(
        self, setting: Evaluated[str], document: Document, *, allow_outside: bool = False
    ) -> FileName:
        """A setting that names a file, for this document.

        The part of the name that comes from the document must not lead out of the folder that the
        pipeline's author wrote, unless `allow_outside` is set. DataError if its expression fails.
        """
        ...

    def failed(
        self, error: DataError, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        """Report a document that failed. Raises if `on_error` is to stop."""
        ...

    def broke(
        self, error: BaseException, original: Document | None, lineage: Lineage = NO_LINEAGE
    ) -> None:
        """Report an exception from the snap's code for this document.

        A stateless snap continues as after `failed`. Otherwise this raises, as it does for an error
        that stops the pipeline anyway.
        """
        ...

    def fail(self, error: EngineError) -> None:
        """Fail the pipeline while no call into the snap is in progress. From any thread."""
        ...

    def dropped(self, count: int, lineage: Sequence[Lineage] = ()) -> None:
        """Acknowledge documents that end here."""
        ...

    def abandoned(self, lineage: Lineage) -> bool:
        """Whether the callers of all these requests have gone: nobody waits for a response."""
        ...

    def held(self, lineage: Sequence[Lineage]) -> None:
        """Documents of the current batch are kept: each stays live until it is released.

        HeldRows calls this and `released` at the right moments.
        """
        ...

    def released(self, lineage: Sequence[Lineage]) -> None:
        """Documents that were held are finished; their results have already been emitted."""
        ...

    def outside(self, name: str, lineage: Sequence[Lineage]) -> OutsideCall:
        """A call to something outside for these documents begins, such as `GET example.org`.

        Traces of hosted requests show it, if it is ended; over HTTP, send its headers along.
        """
        ...

    def request_ids(self, lineage: Sequence[Lineage]) -> list[str]:
        """For each of these documents, the id of the hosted request that it belongs to; several
        are separated by commas. Empty if it belongs to none."""
        ...

    def show(self, text: str, request_id: str = "") -> None:
        """Show a line to the person watching the run, under the snap's label.

        `request_id` is the id of the request that it is about, if it is about one.
        """
        ...
