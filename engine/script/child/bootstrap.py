"""First code of the child: makes this package importable, and nothing else of the engine.

The interpreter of the script's environment runs this file with one argument, a JSON map. The engine
lends the script's process only the libraries that the protocol needs; the environment's own come
first.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

PACKAGE = "snapline_child"


class LentLibraryFinder:
    """Finds a few libraries in the engine's folders when the environment does not have them."""

    def __init__(self, libraries: dict[str, str]) -> None:
        self._libraries = libraries

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        folder = self._libraries.get(name)
        return None if folder is None or path is not None else PathFinder.find_spec(name, [folder])


def load_package() -> None:
    """Import the folder of this file as the package `snapline_child`."""
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    sys.modules[PACKAGE] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)


def main() -> None:
    settings = json.loads(sys.argv[1])
    sys.meta_path.append(LentLibraryFinder(settings["libraries"]))
    load_package()
    importlib.import_module(f"{PACKAGE}.main").main(settings)


if __name__ == "__main__":
    main()
