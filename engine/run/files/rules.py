"""How far a run trusts the data that names its files."""

from __future__ import annotations

import msgspec


class FileRules(msgspec.Struct, frozen=True):
    """Plain data that can be pickled.

    `data_parameters` are parameters whose values come from a caller, so they count as data. If
    `allow_outside` is False, the snaps' own setting of that name is ignored.
    """

    data_parameters: frozenset[str] = frozenset()
    allow_outside: bool = True


TRUSTING = FileRules()
"""The rules of a run on the command line, whose caller is its operator."""
