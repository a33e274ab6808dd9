"""Views: the named openings of a snap."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.documents import ViewType

Unlinked = Literal["refused", "empty document", "nothing", "starts by itself"]
ReadFirst = bool | Literal["all but the first"]


class View(msgspec.Struct, frozen=True):
    """One opening of a snap.

    `many` makes it a family that grows with the links: `output0`, `output1`, ...; the members of a
    `named` family may have any other name in a link, too (`orders -> join.orders`). `unlinked` says
    what an input without a link gets: an error when checking, one empty document (SnapLogic's rule
    for document inputs, reference 1.1), or nothing. An input that `starts by itself` also gets one
    empty document, but is not an open input of the pipeline, so no caller can feed it. A
    `read_first` input is read to its end before any other, and every copy of the snap needs it; of
    a family, all members are, or `all but the first`.
    An `optional` view exists only if a link uses it, so it is never an open view. An input that
    `takes_json_text` accepts RawJson values and passes none of them on. The `condition` of an
    output says for people when items leave there, such as `$total >= 100`.
    """

    name: str
    type: ViewType = "document"
    many: bool = False
    named: bool = False
    minimum: int = 0
    unlinked: Unlinked = "empty document"
    read_first: ReadFirst = False
    optional: bool = False
    takes_json_text: bool = False
    condition: str = ""

    @property
    def starts_by_itself(self) -> bool:
        return self.unlinked == "starts by itself"


class Views(msgspec.Struct, frozen=True):
    """The inputs and outputs of a snap. Every snap also has an error view, called `error`."""

    inputs: tuple[View, ...] = (View("input"),)
    outputs: tuple[View, ...] = (View("output"),)


ERROR_VIEW = View("error")
