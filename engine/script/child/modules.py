"""The modules of a script: sent along as source text, imported as if they were files next to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import CodeType, ModuleType

from . import failure

ModuleSources = list[dict[str, str]]
"""Each with `name`, `file` and `source`, as in ScriptModule of engine.sdk."""


class Importer(MetaPathFinder, ExecutionLoader):
    """Finds and loads modules from their source text. All are compiled in advance."""

    def __init__(self, texts: ModuleSources) -> None:
        self._texts = {text["name"]: text for text in texts}
        self._codes = {name: _compiled(text) for name, text in self._texts.items()}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(name, self) if name in self._texts else None

    def is_package(self, name: str) -> bool:
        return False

    def get_filename(self, name: str) -> str:
        return self._texts[name]["file"]

    def get_source(self, name: str) -> str:
        return self._texts[name]["source"]

    def get_code(self, name: str) -> CodeType:
        return self._codes[name]


def offer(texts: ModuleSources) -> None:
    """Make the modules importable, ahead of files of the same name; raises ScriptRaisedError."""
    for text in texts:
        failure.show_source(text["file"], text["source"])
        _refuse_what_is_loaded(text)
    sys.meta_path.insert(0, Importer(texts))


def _refuse_what_is_loaded(text: dict[str, str]) -> None:
    if text["name"] in sys.modules:
        raise failure.ScriptRaisedError(
            (
                f"could not import the module {text['file']}",
                f"a library named {text['name']!r} is already loaded",
                "rename the file",
                "",
            )
        )


def _compiled(text: dict[str, str]) -> CodeType:
    try:
        return compile(text["source"], text["file"], "exec", dont_inherit=True)
    except Exception as error:  # the compiler raises more than SyntaxError
        raise failure.ScriptRaisedError(failure.describe(error, text["file"])) from error
