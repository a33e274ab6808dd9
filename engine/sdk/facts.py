"""Facts of a snap for people and for import: its category, and SnapLogic's own snap."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Foreign(msgspec.Struct, frozen=True):
    """SnapLogic's own snap, as its exported pipelines (.slp) hold it.

    `class_id` and `name` identify it there. `settings` maps its setting keys to ours; the key of a
    setting in a group is written with a dot. `columns` names the key and value columns of a table
    that is a map here.
    """

    class_id: str
    name: str
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)
    columns: Mapping[str, tuple[str, str]] = msgspec.field(default_factory=dict)


def category_of(snap: type) -> str:
    """The category that a snap class names, or else the folder of its file."""
    named: str = getattr(snap, "category", "")
    return named or snap.__module__.split(".")[-2:][0]
