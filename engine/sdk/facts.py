"""Facts of a snap for people and for import: its category, and SnapLogic's own snap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Foreign(msgspec.Struct, frozen=True):
    """SnapLogic's own snap, as its exported pipelines (.slp) hold it.

    `class_id` and `name` identify it there; `aliases` are older class ids of the same snap.

    `settings` maps its setting keys to ours. Both sides are paths: a setting in a group follows a
    dot, a column of a table follows `[].`, as in `"routes[].expression": "routes[].condition"`.
    The keys and values of a setting that is a map are the columns `headers[].key` and
    `headers[].value`; the items of a list of plain values are `columns[]`. A table whose rows may
    also be written as a map (as Mapper's `mappings`) is described by its rows.

    `choices` maps stored words of a key to our values; `defaults` are the stored values that
    SnapLogic assumes when a key is absent, where ours differ. `ignored` keys make no difference
    here. `unsupported` keys are reported with the given reason if they are set to anything but
    their default: that of `defaults`, or else false, 0 or nothing. A key of a group or a table
    stands for everything in it.

    A value that is not set is the stored word "". `files` maps the keys whose text becomes a file
    beside the pipeline to the settings that name it; `settings` may name one for the text itself
    as well. `json` maps settings with a text to those that hold the same as values; they are used
    if the text is plain JSON. `views` maps view keys to our views where their order does not tell.

    `names` are keys with the name of a field where we have a path: what it holds is never read as
    a path there, so `$total` is a field that is called `$total`.

    `pipelines` are settings of ours that name another pipeline. `ports` are the settings that lead
    from our views to its open ones, for `input` and `output`, and the one that lists the `binary`
    views. `version` is the newest version of `class_id` that this was written for; 0: any.
    """

    class_id: str
    name: str
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    defaults: Mapping[str, Any] = msgspec.field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unsupported: Mapping[str, str] = msgspec.field(default_factory=dict)
    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    views: Mapping[str, str] = msgspec.field(default_factory=dict)
    pipelines: tuple[str, ...] = ()
    ports: Mapping[str, str] = msgspec.field(default_factory=dict)
    json: Mapping[str, str] = msgspec.field(default_factory=dict)
    names: tuple[str, ...] = ()
    version: int = 0

    @property
    def class_ids(self) -> tuple[str, ...]:
        """The class id, and those of older versions."""
        return (self.class_id, *self.aliases)

    def contradictions(self) -> Iterator[str]:
        """Keys that are named for two purposes, or used but never named."""
        taken = self.settings.keys() | self.files.keys()
        named = [*taken, *self.ignored, *self.unsupported]
        for key in sorted({key for key in named if named.count(key) > 1}):
            yield f"the key {key!r} is named twice"
        for key in sorted(self.choices.keys() - taken):
            yield f"choices are given for {key!r}, which is not in settings"
        for key in sorted(set(self.names) - taken):
            yield f"{key!r} is a name, but not in settings"
        for key in sorted(self.defaults.keys() - taken - self.unsupported.keys()):
            yield f"a default is given for {key!r}, which is neither in settings nor unsupported"


def category_of(snap: type) -> str:
    """The category that a snap class names, or else the folder of its file."""
    named: str = getattr(snap, "category", "")
    return named or snap.__module__.split(".")[-2:][0]
