"""The snaps of an export with their names here, and its links as chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.errors import UnusableSnapError
from engine.registry import Registry
from engine.sdk.settings import shown
from engine.sdk.views import ERROR_VIEW
from engine.slp.chains import (
    Chain,
    Edge,
    chains_in_order,
    chains_of,
    reading_order,
    without_needless_numbers,
)
from engine.slp.export_file import Export, StoredSnap, StoredView
from engine.slp.naming import name_of, unique_names
from engine.slp.snap_import import SnapImport, derived_port, import_snap


class Structure:
    """`snaps` are by their ids in the file; `order` is that of the chains.

    `names` are unique, `wanted` are those that the labels give. `warnings` name links that had to
    be left out.
    """

    def __init__(
        self, export: Export, registry: Registry, classes: Mapping[str, str], *, inline: bool
    ) -> None:
        self.export = export
        self.warnings = list(export.problems)
        self._registry = registry
        self._classes = classes
        self._inline = inline
        self.snaps = {key: self._snap(snap) for key, snap in export.snaps.items()}
        places = sorted(self.snaps, key=self._place)
        edges = self._edges()
        self.chains: list[Chain] = (
            chains_in_order(edges) if export.is_written_here else chains_of(places, edges)
        )
        families = {key: snap.view_names.input_family for key, snap in self.snaps.items()}
        without_needless_numbers(self.chains, {key: f for key, f in families.items() if f})
        self.order = reading_order(places, self.chains)
        labels = [self.snaps[key] for key in self.order]
        wanted = [name_of(snap.stored.label, snap.fallback) for snap in labels]
        self.wanted = dict(zip(self.order, wanted, strict=True))
        self.names = dict(zip(self.order, unique_names(wanted), strict=True))

    @property
    def has_open_views(self) -> bool:
        """Whether it has views without a link, which are for a caller."""
        links = self.export.links
        linked = {(link.source, link.source_view) for link in links}
        linked |= {(link.target, link.target_view) for link in links}
        return any(
            (key, view.id) not in linked
            for key, snap in self.export.snaps.items()
            for view in (*snap.inputs, *snap.outputs)
        )

    def called_pipelines(self) -> Iterator[str]:
        """The names of the pipelines that its snaps run."""
        for snap in self.snaps.values():
            for setting in snap.pipelines:
                name = snap.settings.get(setting)
                if isinstance(name, str) and not name.startswith("="):
                    yield name

    def port(self, side: str, view: StoredView) -> str:
        """An open view of this pipeline, as `label.view`, that another pipeline calls `view`."""
        for key, snap in self.snaps.items():
            if view.id.startswith(f"{key}_"):
                name = snap.view_names.full_name(view.id.removeprefix(f"{key}_"), side)
                return f"{self.names[key]}.{name}"
        label, _, _ = view.label.rpartition(" - ")
        found = [key for key, snap in self.snaps.items() if snap.stored.label == label]
        _, _, name = derived_port(view, side).partition(".")
        return f"{self.names[found[0]]}.{name}" if found else derived_port(view, side)

    def _snap(self, stored: StoredSnap) -> SnapImport:
        name = self._classes.get(stored.class_id, "")
        try:
            snap_class = self._registry[name] if name else None
        except (KeyError, UnusableSnapError):
            snap_class = None
        return import_snap(stored, snap_class, inline=self._inline)

    def _place(self, key: str) -> tuple[int, int]:
        stored = self.snaps[key].stored
        return stored.row, stored.column

    def _edges(self) -> list[Edge]:
        """The links, those of a snap in the order of its outputs, error views last.

        In a file of our own they stay in the order in which they were written.
        """
        edges = []
        for link in self.export.links:
            source, target = self.snaps[link.source], self.snaps[link.target]
            out = source.view_names.output(link.source_view)
            into = target.view_names.input(link.target_view)
            if out == ERROR_VIEW.name and not source.routes_errors:
                self._warn_of_link(source, "its error view gets nothing")
            elif out is None:
                self._warn_of_link(source, _no_view(source, link.source_view))
            elif into is None:
                self._warn_of_link(target, _no_view(target, link.target_view))
            else:
                rank = target.view_names.rank(link.target_view)
                edge = Edge(source.id, out, target.id, into, rank)
                edges.append((_place_of_output(source, link.source_view), edge))
        if not self.export.is_written_here:
            edges.sort(key=lambda each: each[0])
        return [edge for _, edge in edges]

    def _warn_of_link(self, snap: SnapImport, reason: str) -> None:
        self.warnings.append(f"a link of {shown(snap.stored.label)} was left out: {reason}")


def _no_view(snap: SnapImport, view: str) -> str:
    return f"{snap.type} has no view {shown(view)} here"


def _place_of_output(snap: SnapImport, view: str) -> int:
    ids = [each.id for each in snap.stored.outputs]
    return ids.index(view) if view in ids else len(ids)
