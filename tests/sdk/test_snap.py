"""The base classes of snaps: what a snap may return, and how documents and streams are counted."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from engine.documents import Batch, Piece, StreamEnd, StreamStart
from engine.errors import EngineError
from engine.sdk import DataError, Document, Settings, Snap, StreamSnap, To, View, Views
from engine.sdk.settings import NoSettings
from engine.testing import run_snap


class Gives(Snap[NoSettings]):
    """Returns, for each document, the value that a test has set."""

    views = Views(outputs=(View("output"), View("other")))
    gives: ClassVar[Any] = None

    def process(self, document: Document) -> Any:
        return self.gives


class GivesOfStreams(StreamSnap[NoSettings]):
    """Returns, for each chunk, the value in the header's field `gives`."""

    views = Views(inputs=(View("input", "binary"),), outputs=(View("output"), View("other")))

    def begin(self, header: dict[str, Any]) -> Any:
        self._gives = header["gives"]

    def feed(self, chunk: bytes) -> Any:
        return self._gives


def given_as(form: str, value: Any) -> Any:
    """The result of a snap for documents, or for streams, as the runtime gets it."""
    if form == "document":
        Gives.gives = value  # which a document could not carry
        return run_snap(Gives, {}, [{}])
    return run_snap(GivesOfStreams, {}, [StreamStart({"gives": value}), b"x", StreamEnd()])


both = pytest.mark.parametrize("form", ["document", "stream"])


@both
@pytest.mark.parametrize(
    "value",
    [{"a": 1}, OrderedDict(a=1), Counter("a"), MappingProxyType({"a": 1}), [Counter("a")]],
)
def test_any_map_is_a_document(form: str, value: Any) -> None:
    (document,) = given_as(form, value).output
    assert document == {"a": 1}
    assert type(document) is dict


@both
@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("abc", "'str'"),
        (["abc"], "'str'"),
        (5, "'int'"),
        ([{"a": 1}, 5], "'int'"),
        ([None], "'NoneType'"),
        ([[{"a": 1}]], "'list'"),
        (bytearray(b"abc"), "'bytearray'"),
        (To("output", "abc"), "'str'"),  # type: ignore[arg-type]
        ([To("output", None)], "'NoneType'"),  # type: ignore[arg-type]
    ],
)
def test_a_result_that_is_not_a_document_stops_the_pipeline_and_names_the_snap(
    form: str, value: Any, named: str
) -> None:
    method = "process of Gives" if form == "document" else "feed of GivesOfStreams"
    with pytest.raises(EngineError) as caught:
        given_as(form, value)
    assert (
        f"{method} returned {named}; "
        "it must return a document, an iterable of documents, To(view, document) or None\n"
        "  hint: this is a bug in the snap itself, not in your pipeline; "
        f"see {__file__}, line {line_of(method)}"
    ) in str(caught.value)


@both
@pytest.mark.parametrize(
    ("view", "says"),
    [
        (
            "othr",
            "the output views are: output, other\n  hint: did you mean 'other'? this is a bug",
        ),
        ("middle", "the output views are: output, other\n  hint: this is a bug in the snap itself"),
        ("error", "  hint: raise DataError to send a document to the error view; this is a bug"),
    ],
)
def test_an_unknown_view_is_named_with_the_line_of_the_method(
    form: str, view: str, says: str
) -> None:
    method = "process of Gives" if form == "document" else "feed of GivesOfStreams"
    with pytest.raises(EngineError) as caught:
        given_as(form, [{"a": 1}, To(view, {"b": 2})])
    assert f"{method} returned a document for the view {view!r}; " in str(caught.value)
    assert says in str(caught.value)
    assert f"see {__file__}, line {line_of(method)}" in str(caught.value)


class GivesBatches(Snap[NoSettings]):
    """Returns, for each batch, the value that a test has set."""

    gives: ClassVar[Any] = None

    def process_batch(self, view: str, batch: Batch) -> Any:
        return self.gives


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (5, "returned 'int'; it must return a Batch, a map of view to Batch, or an iterable of"),
        ([5], "yielded 'int'; it must return a Batch"),
        ({"output": [{}]}, "returned 'list' for the view 'output'; it must return a Batch"),
        ({"outputs": Batch([{}])}, "returned a batch for the view 'outputs'; the output views are"),
        ({"outputs": Batch([{}])}, "  hint: did you mean 'output'? this is a bug in the snap"),
    ],
)
def test_a_wrong_result_for_a_batch_is_named_with_the_line_of_the_method(
    value: Any, says: str
) -> None:
    GivesBatches.gives = value
    with pytest.raises(EngineError) as caught:
        run_snap(GivesBatches, {}, [{}])
    assert says in str(caught.value)
    line = GivesBatches.process_batch.__code__.co_firstlineno
    assert f"see {__file__}, line {line}" in str(caught.value)


def test_a_document_without_an_output_to_go_to_is_refused() -> None:
    class Ends(Snap[NoSettings]):
        views = Views(outputs=())

        def process(self, document: Document) -> Document:
            return document

    says = (
        "failed on document 1\nprocess of Ends returned a document, but the snap has no output view"
    )
    with pytest.raises(EngineError, match=says):
        run_snap(Ends, {}, [{}])


def test_a_stream_without_an_output_for_its_documents_is_refused() -> None:
    class EndsStreams(StreamSnap[NoSettings]):
        views = Views(inputs=(View("input", "binary"),), outputs=())

        def feed(self, chunk: bytes) -> list[Document]:
            return [{}]

    says = "feed of EndsStreams returned a document, but the snap has no output view"
    with pytest.raises(EngineError, match=says):
        run_snap(EndsStreams, {}, [StreamStart(), b"x", StreamEnd()])


def test_a_snap_may_have_the_base_class_of_settings() -> None:
    class Passes(Snap[Settings]):
        def process(self, document: Document) -> Document:
            return document

    assert run_snap(Passes, {}, [{"a": 1}]).output == [{"a": 1}]


def test_documents_of_a_snap_with_any_number_of_outputs_go_to_the_first() -> None:
    class Deals(Snap[NoSettings]):
        views = Views(outputs=(View("output", many=True),))

        def process(self, document: Document) -> list[Any]:
            return [document, To("output1", {})]

    result = run_snap(Deals, {}, [{"a": 1}], outputs=["output0", "output1"])
    assert result.outputs == {"output0": [{"a": 1}], "output1": [{}]}
    with pytest.raises(
        EngineError, match="failed on document 1\nprocess of Deals returned a document for the"
    ):
        run_snap(Deals, {}, [{"a": 1}], outputs=["output0"])


def line_of(method: str) -> int:
    name, _, owner = method.partition(" of ")
    cls: Any = {"Gives": Gives, "GivesOfStreams": GivesOfStreams}[owner]
    return int(getattr(cls, name).__code__.co_firstlineno)


@both
def test_a_list_may_address_some_of_its_items(form: str) -> None:
    result = given_as(form, [{"a": 1}, To("other", {"b": 2})])
    assert result.outputs == {"output": [{"a": 1}], "other": [{"b": 2}]}


@both
@pytest.mark.parametrize("nothing", [None, (), []])
def test_an_empty_result_is_acknowledged(form: str, nothing: Any) -> None:
    result = given_as(form, nothing)
    assert (result.output, result.dropped) == ([], 1)


class Takes(StreamSnap[NoSettings]):
    """Emits a document for each stream, and records the streams that were abandoned."""

    forgotten: list[str]

    def open(self) -> None:
        type(self).forgotten = []

    def begin(self, header: dict[str, Any]) -> tuple[()]:
        self._name = header["name"]
        return ()

    def feed(self, chunk: bytes) -> tuple[()]:
        if chunk == b"bad":
            raise DataError("cannot take it", "it is bad")
        if chunk == b"odd":
            self.report(DataError("cannot take a part", "it is odd"))
        return ()

    def end(self) -> Iterator[Document]:
        if self._name != "quiet":
            yield {"name": self._name}

    def abandon(self) -> None:
        self.forgotten.append(self._name)
        if self._name == "clumsy":
            raise ValueError("clumsy")


def stream(name: str, *pieces: Piece) -> list[Piece]:
    return [StreamStart({"name": name}), *pieces]


def test_a_stream_that_has_no_end_is_abandoned_when_the_next_begins() -> None:
    result = run_snap(Takes, {}, [*stream("a", b"x"), *stream("b", b"x", StreamEnd())])
    assert result.output == [{"name": "b"}]
    assert Takes.forgotten == ["a"]
    assert result.dropped == 1


@pytest.mark.parametrize(
    ("pieces", "account"),
    [
        (stream("a", b"x", StreamEnd()), (1, 0, 0)),
        (stream("quiet", b"x", StreamEnd()), (0, 1, 0)),
        (stream("a", b"x", StreamEnd(broken=True)), (0, 1, 0)),
        (stream("a", b"bad", b"x", StreamEnd()), (0, 0, 1)),
        (stream("quiet", b"odd", StreamEnd()), (0, 0, 1)),
        (stream("a", b"odd", StreamEnd()), (1, 0, 1)),
    ],
)
def test_every_stream_is_accounted_for(pieces: list[Any], account: tuple[int, int, int]) -> None:
    counts = run_snap(Takes, {}, pieces, on_error="discard").statistics
    assert (counts.documents_out, counts.dropped, counts.errors) == account


def test_a_part_that_failed_has_the_header_of_its_stream() -> None:
    result = run_snap(Takes, {}, stream("a", b"odd", StreamEnd()), on_error="route")
    assert result.errors[0]["original"] == {"name": "a"}


def test_a_snap_that_cannot_forget_does_not_hide_the_first_error() -> None:
    with pytest.raises(EngineError, match="it is bad"):
        run_snap(Takes, {}, stream("clumsy", b"bad"))


class GivesThenFails(StreamSnap[NoSettings]):
    def feed(self, chunk: bytes) -> Iterator[Document]:
        yield {"n": 1}
        raise DataError("cannot go on")


def test_what_came_before_the_error_of_a_stream_stays() -> None:
    result = run_snap(GivesThenFails, {}, stream("a", b"x", StreamEnd()), on_error="route")
    assert result.output == [{"n": 1}]
    assert len(result.errors) == 1


def test_settings_may_decide_on_lineage() -> None:
    from engine.registry import discover
    from engine.sdk.conversion import convert

    formatter = discover()["JSONFormatter"]
    for each in (True, False):
        settings, _ = convert(formatter.settings_class, {"format_each_document": each})
        assert bool(formatter.loses_lineage_for(settings)) is not each
    assert Gives.loses_lineage_for(NoSettings()) == ""


def test_lists_and_single_documents_of_a_stream_keep_its_lineage() -> None:
    class Silent:
        def dropped(self, count: int, lineage: Any = ()) -> None: ...

    snap = GivesOfStreams(NoSettings(), Silent())  # type: ignore[arg-type]
    items = [StreamStart({"gives": [{"a": 1}, {"b": 2}]}), b"x", StreamEnd()]
    emission: Any = snap.process_batch("input", Batch(items, [frozenset({7})] * 3))
    assert list(emission) == [{"output": Batch([{"a": 1}, {"b": 2}], [frozenset({7})] * 2)}]
