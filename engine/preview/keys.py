"""What decides the documents of a snap, apart from what reaches it and the files that it reads."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

from engine.late_regex import late_regex
from engine.pipeline.spec import PipelineSpec
from engine.plan import Plan
from engine.plan.plan import PlannedSnap
from engine.preview.tracing import Read, fingerprint, hash_of_secret
from engine.registry import Registry, SnapClass
from engine.sdk.snap import Snap

_FORMAT = 1
_VARYING = late_regex(r"\bDate\.now\b|\bMath\.random|\bpipe\.|\bDate\(\)|\buuid", re.IGNORECASE)


class Keys:
    """The keys of the snaps of one preview, made before it reads anything. `input_files` are those
    of open inputs, by port.

    A secret goes into a key as a hash that is slow to compute, with the salt of the file.
    """

    def __init__(
        self,
        spec: PipelineSpec,
        plan: Plan,
        registry: Registry,
        parameters: Mapping[str, str | None],
        settings: tuple[object, ...],
        input_files: Mapping[str, str],
        salt: bytes,
    ) -> None:
        self._spec = spec
        self._plan = plan
        self._registry = registry
        self._parameters = parameters
        self._inputs = {
            port: fingerprint(Read("file", str(Path(file).absolute())), salt)
            for port, file in input_files.items()
        }
        self._salt = salt
        libraries = [(library.name, library.text) for library in plan.libraries]
        self._common = digest_of(
            _FORMAT,
            sys.version,
            _version_of(__name__),
            plan.folder,
            plan.project,
            plan.lenient,
            libraries,
            *settings,
            salt,
        )
        self._secret = {each.name for each in plan.parameters if each.secret}

    def of(self, snap: PlannedSnap) -> bytes:
        spec = self._spec.snaps[snap.label]
        snap_class = self._registry[snap.type]
        linked = self._plan.routes.linked.get(snap.label, frozenset())
        text = repr(spec.settings)
        return digest_of(
            self._common,
            snap.label,
            snap.title,
            snap.type,
            snap.mode,
            text,
            _version_of(snap_class.__module__),
            [(view.name, view.name in linked) for view in snap.inputs],
            [(view.name, bool(n) and view.name in linked) for n, view in enumerate(snap.outputs)],
            [self._inputs.get(f"{snap.label}.{view.name}") for view in snap.inputs],
            [(name, self._value(name)) for name in self._used(snap, snap_class, text)],
        )

    def varies(self, snap: PlannedSnap) -> bool:
        """Whether it finds something else later: it reads a clock, a database, another host."""
        snap_class = self._registry[snap.type]
        settings = self._spec.snaps[snap.label].settings
        return bool(snap_class.reaches or _VARYING.search(repr(settings)))

    def runs_pipelines(self, snap: PlannedSnap) -> bool:
        return any(self._registry[snap.type].children(snap.settings))

    def _used(self, snap: PlannedSnap, snap_class: SnapClass, text: str) -> Iterator[str]:
        """The parameters that a snap may read; rather too many than too few."""
        settings = snap.settings
        reads_all = (
            any(snap_class.children(settings))
            or any(snap_class.python_code(settings))
            or bool(self._plan.libraries and "lib" in text)
            or "args" in text
        )
        if not reads_all and _mentions_parameters(snap_class.__module__):
            owner = next(base for base in snap_class.__mro__ if "parameters_read" in vars(base))
            has_template = owner is not Snap
            reads_all = not has_template or any(snap_class.files_needed(settings))
        return (name for name in self._parameters if reads_all or f"_{name}" in text)

    def _value(self, name: str) -> object:
        value = self._parameters[name]
        return self._secrets[name] if name in self._secret and value else value

    @cached_property
    def _secrets(self) -> Mapping[str, bytes]:
        return {
            name: hash_of_secret(value, self._salt)
            for name in self._secret
            if (value := self._parameters[name])
        }


def digest_of(*parts: object) -> bytes:
    """A hash of values whose representations tell them apart."""
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).digest()


@cache
def _version_of(module: str) -> bytes:
    """What tells the code of a package from another version of it: names, sizes and times."""
    package = sys.modules[module.partition(".")[0]]
    folders = [Path(folder) for folder in getattr(package, "__path__", ())]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    if not folders and package.__file__:
        files = [Path(package.__file__)]
    found = [(str(each), (status := each.stat()).st_size, status.st_mtime_ns) for each in files]
    return digest_of(found)


@cache
def _mentions_parameters(module: str) -> bool:
    """Whether the code of a snap may look up parameters by name."""
    file = sys.modules[module].__file__
    try:
        return file is None or b"context.parameters" in Path(file).read_bytes()
    except OSError:
        return True
