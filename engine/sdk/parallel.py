"""How copies of a snap may share its documents (the fact `parallel`), as plain data."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.sdk.settings import Expression, Path


class ByKey(msgspec.Struct, frozen=True):
    """Every copy gets all documents of some keys.

    `keys` says where the key is, for each input in the order of `Context.inputs`. What a snap makes
    of documents with one key must not depend on the others. See `Context.is_copy`.
    """

    keys: tuple[tuple[Expression | Path, ...], ...]
    null_safe: bool = False


class ByRun(msgspec.Struct, frozen=True):
    """Every copy gets some runs of neighbours with equal keys, each of them complete.

    Without `keys`, the documents of a run are equal in all fields. `Snap.end_of_run` is called
    after the last one that a copy gets before somebody else's.
    """

    keys: tuple[Expression | Path, ...] = ()
    null_safe: bool = False


class Once(msgspec.Struct, frozen=True):
    """Only one copy may run; `why` is for people: "reads sorted inputs side by side"."""

    why: str


Parallel = Literal["", "any", "one"] | ByKey | ByRun | Once
