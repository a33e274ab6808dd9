"""How far a run trusts what names its files."""

from __future__ import annotations

import msgspec


class FileRules(msgspec.Struct, frozen=True):
    """Plain data that can be pickled.

    `data_parameters` are parameters whose values come from a caller, so that they count as data.
    `allow_outside` False: what the snaps say about data that leads out of its folder is ignored.
    """

    data_parameters: frozenset[str] = frozenset()
    allow_outside: bool = True


TRUSTING = FileRules()
"""Those of a run on the command line: its caller is its operator."""
