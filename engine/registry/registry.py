"""The registry: names of snaps, and their classes, loaded on demand."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping

from engine.errors import UnusableSnapError
from engine.registry.files import SnapFile, folded
from engine.registry.loading import SnapClass, load


class Registry(Mapping[str, SnapClass]):
    """Snap classes by name, for example `Filter`.

    Names are known without importing anything. Looking up a class raises UnusableSnapError if the
    snap is installed but cannot be used, and KeyError if the name is unknown.
    """

    def __init__(
        self, classes: Mapping[str, SnapClass] | None = None, files: Iterable[SnapFile] = ()
    ) -> None:
        self._classes: dict[str, SnapClass | UnusableSnapError] = dict(classes or {})
        self._files: dict[str, list[SnapFile]] = {}
        for file in {file.path: file for file in files}.values():  # packages may overlap
            self._files.setdefault(file.key, []).append(file)

    def __getitem__(self, name: str) -> SnapClass:
        if name not in self._classes:
            self._classes[name] = self._load(self.files_of(name), name)
        found = self._classes[name]
        if isinstance(found, UnusableSnapError):
            raise found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._classes or (isinstance(name, str) and bool(self.files_of(name)))

    def __iter__(self) -> Iterator[str]:
        found = {file.snap_name for file in self.files}
        return iter(sorted((found | self._classes.keys()) - {""}))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def files(self) -> Iterator[SnapFile]:
        """Every file that may contain a snap."""
        return (file for files in self._files.values() for file in files)

    def files_of(self, name: str) -> list[SnapFile]:
        """The files with a snap of that name; more than one is an error."""
        return [file for file in self._files.get(folded(name), ()) if file.snap_name == name]

    def usable(self) -> Iterator[tuple[str, SnapClass]]:
        """Every snap that can be used, with its name. Imports all of them."""
        for name in self:
            try:
                yield name, self[name]
            except UnusableSnapError:
                continue

    def explain_unknown(self, name: str) -> tuple[str, str]:
        """Message and hint for a name that is not in the registry."""
        from engine.registry.unknown import explain_unknown  # only needed for this message

        return explain_unknown(name, self)

    def by_foreign_id(self) -> Mapping[str, str]:
        """The snap for each class id of SnapLogic, older ones included. Imports all snaps.

        Raises UnusableSnapError if two snaps claim one.
        """
        claims: dict[str, str] = {}
        for name, snap in self.usable():
            for class_id in snap.foreign.class_ids if snap.foreign else ():
                other = claims.setdefault(class_id, name)
                if other != name:
                    raise UnusableSnapError(
                        f"two snaps claim to be {class_id}: {_shown(self[other])} and "
                        f"{_shown(snap)}",
                        "change `foreign` of one of them",
                    )
        return claims

    def _load(self, files: list[SnapFile], name: str) -> SnapClass | UnusableSnapError:
        if not files:
            raise KeyError(name)
        if len(files) > 1:
            paths = " and ".join(file.path for file in files)
            message = f"there are {len(files)} snaps called {name}: {paths}"
            return UnusableSnapError(message, "rename or uninstall all but one of them")
        try:
            return load(files[0])
        except UnusableSnapError as error:
            return error


def _shown(snap: SnapClass) -> str:
    file = getattr(sys.modules.get(snap.__module__), "__file__", None)
    return f"{snap.__name__} ({file or snap.__module__})"
