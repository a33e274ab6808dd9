"""The stage host names the failing snap, closes all snaps, and accounts for every document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from engine.errors import SnapFailedError
from engine.sdk import Batch, DataError, Document, Settings, Snap, To, View, Views, setting
from engine.testing import run_snap


class NoSettings(Settings):
    """Nothing to set."""


class Breaks(Snap[NoSettings]):
    closed: ClassVar[list[str]] = []

    def process(self, document: Document) -> Document:
        raise ZeroDivisionError("oh")

    def close(self) -> None:
        self.closed.append("closed")


def test_a_bug_in_a_snap_names_the_snap_and_closes_it() -> None:
    Breaks.closed.clear()
    with pytest.raises(
        SnapFailedError, match=r"snap 'snap' \(Breaks at .*test.yaml:4:3\) failed"
    ) as caught:
        run_snap(Breaks, {}, [{}])
    assert "ZeroDivisionError: oh" in str(caught.value)
    assert "bug in the snap itself" in str(caught.value)
    assert Breaks.closed == ["closed"]


class HalfOpen(Snap[NoSettings]):
    def open(self) -> None:
        raise DataError("the door is locked")

    def process(self, document: Document) -> Document:
        return document

    def close(self) -> None:
        self.context.show(str(self.door))  # type: ignore[attr-defined]  # which open would have set


def test_a_snap_that_fails_to_open_says_why_even_if_it_fails_to_close_too() -> None:
    with pytest.raises(SnapFailedError, match="the door is locked"):
        run_snap(HalfOpen, {}, [{}])


class Fans(Snap[NoSettings]):
    views = Views(outputs=(View("output"), View("odd")))

    def process(self, document: Document) -> Iterable[Document | To]:
        yield To("odd", document) if document["n"] % 2 else document

    def finish(self) -> Iterable[Document]:
        yield {"end": True}


def test_items_go_to_the_view_that_they_are_addressed_to() -> None:
    result = run_snap(Fans, {}, [{"n": 1}, {"n": 2}])
    assert result.output == [{"n": 2}, {"end": True}]
    assert result.outputs["odd"] == [{"n": 1}]


class PickySettings(Settings):
    limit: int = setting(help="Numbers over it fail.", default=10)


class Picky(Snap[PickySettings]):
    def process(self, document: Document) -> Document | None:
        if document["n"] > self.settings.limit:
            raise DataError("too much", f"{document['n']} is over {self.settings.limit}", "less")
        return document if document["n"] else None


@pytest.mark.parametrize("count", [3, 200])
def test_documents_in_are_documents_out_dropped_and_failed(count: int) -> None:
    result = run_snap(Picky, {"limit": 1}, [{"n": n % 3} for n in range(count)], on_error="route")
    accounts = result.statistics
    assert accounts.documents_in == count
    assert accounts.documents_out + accounts.dropped + accounts.errors == count
    assert len(result.errors) == accounts.errors
    assert result.errors[0] == {
        "error": "too much",
        "reason": "2 is over 1",
        "resolution": "less",
        "stacktrace": "too much: 2 is over 1",
        "snap_details": {"label": "snap"},
        "original": {"n": 2},
    }


def test_a_failure_says_what_to_do() -> None:
    with pytest.raises(SnapFailedError, match=r"too much: 11 is over 10\n  hint: less"):
        run_snap(Picky, {}, [{"n": 11}])


def test_a_snap_may_emit_more_than_fits_in_memory_piece_by_piece() -> None:
    made = 0

    class Many(Snap[NoSettings]):
        def process(self, document: Document) -> Iterable[Document]:
            nonlocal made
            for number in range(1000):
                made += 1
                yield {"n": number}

    result = run_snap(Many, {}, [{}])
    assert [item["n"] for item in result.output] == list(range(1000))
    assert made == 1000


class Emits(Snap[NoSettings]):
    views = Views(outputs=(View("output"), View("extra", optional=True)))
    emission: ClassVar[object] = None

    def process_batch(self, view: str, batch: Batch) -> Any:
        return self.emission


@pytest.mark.parametrize(
    ("emission", "says"),
    [
        (5, "returned 'int'; it must return a Batch, a map"),
        ("text", "returned 'str'; it must return a Batch, a map"),
        ({"output": [{}]}, "returned 'list' for the view 'output'; it must return a Batch, a map"),
        ([Batch([{}])], "yielded 'Batch'; it must return a Batch, a map"),
        ({"nope": Batch([{}])}, "for the view 'nope'; the output views are: output"),
    ],
)
def test_an_invalid_result_names_the_snap(emission: object, says: str) -> None:
    Emits.emission = emission
    with pytest.raises(SnapFailedError, match=says) as caught:
        run_snap(Emits, {}, [{}], outputs=["output"])
    assert "(Emits at" in str(caught.value)


def test_documents_for_an_optional_view_without_a_link_are_ignored() -> None:
    Emits.emission = {"extra": Batch([{"a": 1}]), "output": Batch([{"b": 1}])}
    assert run_snap(Emits, {}, [{}], outputs=["output"]).outputs == {"output": [{"b": 1}]}


class Loses(Snap[NoSettings]):
    def process_batch(self, view: str, batch: Batch) -> Any:
        raise DataError("one of these is bad", "who knows which")


def test_an_error_for_a_complete_batch_stops_whatever_on_error_says() -> None:
    with pytest.raises(SnapFailedError, match="one of these is bad: who knows which"):
        run_snap(Loses, {}, [{}, {}], on_error="discard")


class Leaves(Snap[NoSettings]):
    def process(self, document: Document) -> Document:
        raise SystemExit(7)


def test_a_snap_that_calls_exit_does_not_end_the_engine() -> None:
    with pytest.raises(SnapFailedError, match="SystemExit: 7"):
        run_snap(Leaves, {}, [{}])


class Ends(Snap[NoSettings]):
    end: ClassVar[Any] = None

    def process(self, document: Document) -> None:
        return None

    def finish(self) -> Any:
        return self.end


def test_a_finish_may_return_one_document_or_nothing() -> None:
    Ends.end = {"a": 1}
    assert run_snap(Ends, {}, [{}]).output == [{"a": 1}]
    Ends.end = None
    assert run_snap(Ends, {}, [{}]).output == []


def test_a_finish_with_an_invalid_result_names_the_snap() -> None:
    Ends.end = 5
    with pytest.raises(SnapFailedError, match="finish of Ends returned 'int'"):
        run_snap(Ends, {}, [{}])
