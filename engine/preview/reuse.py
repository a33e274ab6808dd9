"""Decides which snaps of a preview run, and which are shown as an earlier preview found them.

A snap is known if nothing has changed that decides its documents: its key, the files that it read,
and the same of all snaps before it. A known snap runs nevertheless if one that runs needs documents
which are not held. Known snaps that feed one that runs replay what is held.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from time import time

import msgspec

from engine.documents import Item
from engine.errors import ConfigurationError
from engine.pipeline.pin_files import pin_file
from engine.plan import Plan, Port
from engine.plan.graph import downstream, order
from engine.plan.plan import PlannedLink
from engine.preview.keys import Keys, digest_of
from engine.preview.replays import items_of
from engine.preview.store import Held, HeldFile, HeldSnap
from engine.preview.tracing import Read, fingerprint

VARYING_SECONDS = 3600
"""How long what depends on a clock, a database or another host is taken from earlier previews."""

Items = Mapping[str, Sequence[Item]]


class Reuse(msgspec.Struct, frozen=True):
    """`replays`: what leaves the snaps that do not run, by label and view.

    Of these, `known` are shown as they are held, `pinned` with what is pinned, `unneeded` feed only
    pinned ones, and `outside` are before the first snap of the preview. `ids` are those of all that
    are known, pinned or outside.
    """

    replays: Mapping[str, Items] = {}
    known: Collection[str] = frozenset()
    pinned: Collection[str] = frozenset()
    unneeded: Collection[str] = frozenset()
    outside: Collection[str] = frozenset()
    ids: Mapping[str, bytes] = {}


def id_of(
    key: bytes, links: Sequence[PlannedLink], ids: Mapping[str, bytes], files: Sequence[HeldFile]
) -> bytes:
    """The id of a snap; empty if one of those that feed it has none."""
    before = [(link.target.view, str(link.source), ids.get(link.source.label)) for link in links]
    if not all(found for _, _, found in before):
        return b""
    return digest_of(key, before, [msgspec.structs.astuple(file) for file in files])


def links_to(plan: Plan) -> dict[str, list[PlannedLink]]:
    """The links that lead to each snap."""
    found: dict[str, list[PlannedLink]] = {snap.label: [] for snap in plan.snaps}
    for link in plan.links:
        found[link.target.label].append(link)
    return found


class Chooser:
    """Chooses for one preview. `start`: the first snap of the preview (empty: all run)."""

    def __init__(
        self, plan: Plan, held: Held, keys: Keys, pins: Mapping[str, Items], start: str
    ) -> None:
        self._plan = plan
        self._held = held
        self._keys = keys
        self._pins = pins
        self._start = start
        self._before = links_to(plan)
        self._after: dict[str, list[PlannedLink]] = {snap.label: [] for snap in plan.snaps}
        for link in plan.links:
            self._after[link.source.label].append(link)
        self._snaps = {snap.label: snap for snap in plan.snaps}
        self._edges = [(link.source.label, link.target.label) for link in plan.links]
        self._order = order(list(self._before), self._edges)
        self._fingerprints: dict[tuple[str, str, str], bytes] = {}

    def choose(self) -> Reuse:
        """Raises ConfigurationError if what the first snap needs is not held."""
        labels = set(self._order)
        inside = downstream([self._start], self._edges) if self._start else labels
        pinned = {label for label in self._pins if label in labels}
        unneeded = self._unneeded(pinned)
        outside = labels - inside - pinned
        ids = self._ids(pinned, outside)
        runs = labels - ids.keys() - pinned - outside - unneeded
        for label in reversed(self._order):
            is_known = label in ids and label not in pinned and label not in outside
            needed = [link for link in self._after[label] if link.target.label in runs]
            if is_known and not all(self._has(link.source) for link in needed):
                runs.add(label)
        for label in outside:
            self._check_held([link for link in self._after[label] if link.target.label in runs])
        replays = {label: self._replay(label, runs) for label in labels - runs}
        known = labels - runs - pinned - outside - unneeded
        return Reuse(replays, known, pinned, unneeded - outside, outside | (pinned - inside), ids)

    def _unneeded(self, pinned: Collection[str]) -> set[str]:
        """The snaps that feed nothing but pinned ones."""
        opened = {port.label for port in self._plan.open_outputs}
        unneeded: set[str] = set()
        for label in reversed(self._order) if pinned else ():
            after = self._after[label]
            if label in pinned or label in opened or not after:
                continue
            if all(link.target.label in pinned or link.target.label in unneeded for link in after):
                unneeded.add(label)
        return unneeded

    def _ids(self, pinned: Collection[str], outside: Collection[str]) -> dict[str, bytes]:
        ids: dict[str, bytes] = {}
        for label in self._order:
            held = self._held.snaps.get(label)
            if label in pinned:
                ids[label] = pin_id(self._pins[label])
            elif label in outside:
                ids[label] = b"" if held is None else held.id or _id_of_views(held)
            elif held is not None and held.id and self._is_known(label, held, ids):
                ids[label] = held.id
        return ids

    def _is_known(self, label: str, held: HeldSnap, ids: Mapping[str, bytes]) -> bool:
        snap, links = self._snaps[label], self._before[label]
        if not all(link.source.label in ids for link in links):
            return False
        if held.varies and time() - held.at > VARYING_SECONDS:
            return False
        if held.errors and held.line != snap.where.line:
            return False  # what is shown of an error names its line
        files = [
            HeldFile(file.kind, file.name, file.pattern, self._fingerprint(file))
            for file in held.files
        ]
        return id_of(self._keys.of(snap), links, ids, files) == held.id

    def _fingerprint(self, file: HeldFile) -> bytes:
        read = Read(file.kind, file.name, file.pattern)
        if read not in self._fingerprints:
            self._fingerprints[read] = fingerprint(read, self._held.salt)
        return self._fingerprints[read]

    def _has(self, source: Port) -> bool:
        """Whether the documents that leave a view are held, and nothing is missing."""
        held = self._held.snaps.get(source.label)
        if held is None:
            return False
        view = held.views.get(source.view)
        return not held.outputs.get(source.view) if view is None else view.complete

    def _check_held(self, links: Sequence[PlannedLink]) -> None:
        for link in links:
            if self._has(link.source):
                continue
            source, target = link.source.label, link.target.label
            what = f"what {source!r} sends to {target!r} is not held from an earlier preview"
            if source in self._held.snaps:
                what = (
                    f"only a part of what {source!r} sends to {target!r} is held, as it is large "
                    "or contains secrets"
                )
            raise ConfigurationError(
                f"--from {self._start}: {what}; preview the pipeline without --from once, or pin "
                f"documents of {source!r} in {pin_file(self._plan.path)}"
            )

    def _replay(self, label: str, runs: Collection[str]) -> Items:
        if label in self._pins:
            return self._pins[label]
        views = {link.source.view for link in self._after[label] if link.target.label in runs}
        if not views:
            return {}
        held = self._held.snaps[label].views
        return {
            name: items_of(held[name].type, held[name].unpacked())
            for name in sorted(views)
            if name in held
        }


def pin_id(items: Items) -> bytes:
    return digest_of("pinned", repr(items))


def _id_of_views(held: HeldSnap) -> bytes:
    return digest_of("held", [(name, bytes(view.items)) for name, view in held.views.items()])
