"""Where a snap failed: on which document or stream, and in which expression of the pipeline."""

from __future__ import annotations

from engine.documents import Document
from engine.errors import ExpressionError
from engine.plan.plan import PlacedExpression, PlannedSnap


def place_of(snap: PlannedSnap, error: BaseException) -> PlacedExpression | None:
    """The expression of the snap that failed; None if the error has nothing to do with one."""
    if not isinstance(error, ExpressionError) or not error.text:
        return None
    return snap.place_of(error.text, error.target)


def at_document(snap: PlannedSnap, view: str, number: int | None, item: Document | None) -> str:
    """ " on document NUMBER" of a view; without a number, " on the stream from FILE" if the item is
    the header of a stream that names one, else empty."""
    if number is None:
        return _from_file(snap, view, item or {})
    text = f" on document {number}"
    return f"{text} of the view {view!r}" if len(snap.inputs) > 1 else text


def at_expression(snap: PlannedSnap, error: BaseException) -> str:
    """ ", for the target 'TARGET' at FILE:LINE:COLUMN" of the expression that failed; empty if none
    did."""
    placed = place_of(snap, error)
    if placed is None:
        return ""
    target = f", for the target {placed.target!r}" if placed.target else ""
    return f"{target} at {placed.where}"


def _from_file(snap: PlannedSnap, view: str, header: Document) -> str:
    is_binary = any(each.name == view and each.type == "binary" for each in snap.inputs)
    location = header.get("content-location")
    if not is_binary or not isinstance(location, str) or not location:
        return ""
    address = location.partition("?")[0]  # a query may hold a signature
    return f" on the stream from {address if '://' in address else location!r}"
