"""Makes `from java.util import HashMap` work, with a clear error for what is not there."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from . import java_math, java_others, java_time, java_util

PACKAGES: dict[str, dict[str, Any]] = {
    "java": {},
    "java.util": java_util.CLASSES,
    "java.util.zip": java_others.ZIP,
    "java.lang": java_others.LANG,
    "java.io": java_others.IO,
    "java.math": java_math.CLASSES,
    "java.time": java_time.CLASSES,
    "java.time.format": java_time.FORMAT,
    "java.time.temporal": java_time.TEMPORAL,
    "com": {},
    "com.snaplogic": {},
    "com.snaplogic.scripting": {},
    "com.snaplogic.scripting.language": java_others.SCRIPTING,
}
_ROOTS = ("java", "javax", "com", "org")


class JavaPackage(ModuleType):
    """A package of stand-ins for Java's classes."""

    def __init__(self, name: str, classes: dict[str, Any]) -> None:
        super().__init__(name, "Stand-ins for the classes of this Java package.")
        self.__path__: list[str] = []
        self.__all__ = list(classes)
        self.__dict__.update(classes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _missing(f"{self.__name__}.{name}")


class _Refusal:
    """Finds no Java package, and says so. It comes last."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name.partition(".")[0] in _ROOTS:
            raise _missing(name)


def install() -> None:
    """Make the packages importable."""
    made = {name: JavaPackage(name, classes) for name, classes in PACKAGES.items()}
    for name, package in made.items():
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(made[parent], last, package)
        sys.modules[name] = package
        for each, stand_in in PACKAGES[name].items():
            sys.modules[f"{name}.{each}"] = stand_in  # for `import java.util.HashMap`
    sys.meta_path.append(_Refusal())


def _missing(name: str) -> ImportError:
    package = name.rpartition(".")[0]
    there = ", ".join(sorted(PACKAGES.get(package, ()))) or "java.util, java.time, java.math, …"
    return ImportError(f"Java's {name} is not available to scripts here; there are: {there}")
