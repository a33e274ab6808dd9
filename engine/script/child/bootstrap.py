"""First code of the child: makes the engine's part importable, and nothing else of the engine's.

Run as a file by the interpreter of the script's environment with one argument, a JSON map. Only the
libraries that the protocol needs are lent to the script's process, and only after its own.
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


class Lender:
    """Finds a few named libraries in the engine's folders when the environment has none."""

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
    sys.meta_path.append(Lender(settings["libraries"]))
    load_package()
    importlib.import_module(f"{PACKAGE}.main").main(settings)


if __name__ == "__main__":
    main()
