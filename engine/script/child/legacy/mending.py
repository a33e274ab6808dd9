"""Mends modules as they are imported, and those that have been imported already at once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from . import hdf5, mnist, numpy_names, python_names, tensorflow_1

Mend = Callable[[ModuleType], None]

MENDS: Mapping[str, Mend] = {
    "h5py._hl.attrs": hdf5.mend,
    "keras.datasets.mnist": mnist.mend,
    "numpy": numpy_names.mend,
    "tensorflow": tensorflow_1.mend,
}


class MendingFinder(MetaPathFinder):
    """Finds a module as the other finders do, and mends it after it has been executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        mend = MENDS.get(name)
        spec = None if mend is None else self._found(name, path, target)
        if mend is not None and spec is not None and spec.loader is not None:
            _mend_after(spec, mend)
        return spec

    def _found(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)) is not None:
                return spec
        return None


def mend_libraries() -> None:
    """Present what libraries and scripts of 2019 expect, from now on and in this process."""
    if any(isinstance(finder, MendingFinder) for finder in sys.meta_path):
        return
    python_names.mend()
    sys.meta_path.insert(0, MendingFinder())
    for name, mend in MENDS.items():
        if (module := sys.modules.get(name)) is not None:
            mend(module)


def _mend_after(spec: ModuleSpec, mend: Mend) -> None:
    loader = spec.loader
    assert loader is not None  # the caller has looked
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        quiet = tensorflow_1.quiet_import() if spec.name == "tensorflow" else None
        with quiet or contextlib.nullcontext():
            execute(module)
        mend(module)

    loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one loader
