"""Libraries for scripts: installed into the script's own environment when they are missing.

A library that is already installed costs no pip call. Installations into one environment wait for
each other. An interrupted one leaves a mark, and the next script that uses the environment repeats
it.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import importlib.util
import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from .legacy.versions import (
    BESIDE_KERAS,
    HELPERS_OF_KERAS,
    is_old,
    keras_folder,
    numbers,
    tensorflow_requirement,
)
from .messages import say, warn
from .needs import MARK, Needs, canonical, same_version
from .pip_runs import InstallError, PipRuns
from .state import State

Policy = Literal["install", "check", "refuse"]

MODULES = {
    "beautifulsoup4": "bs4",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "protobuf": "google.protobuf",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}
"""Distributions whose module has a different name."""

DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "pil": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Module names that scripts pass for a distribution."""

FIRST_FOR_311 = {
    "keras": (2, 12),
    "matplotlib": (3, 6),
    "numpy": (1, 23, 2),
    "pandas": (1, 5),
    "scikit-learn": (1, 1, 3),
    "scipy": (1, 9, 2),
    "tensorflow": (2, 12),
    "tensorflow-cpu": (2, 12),
    "torch": (1, 13),
}
"""The first version of a library that works on Python 3.11; older ones are overridden."""

_PLAIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==\s*([A-Za-z0-9.!+]+))?")
_NAMED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:[<>=!~;\[]|$)")
_PIN = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9.!+]+)", re.MULTILINE)


class Installer:
    """Looks for libraries in this interpreter, and installs missing ones if allowed."""

    def __init__(self, opening: dict[str, Any], settings: dict[str, Any], state: State) -> None:
        self._policy: Policy = opening["install"]
        self._pip_runs = PipRuns(settings["python"], settings["started_in"])
        self._lock = Path(settings["lock"])
        self._mark = Path(sys.prefix) / MARK
        self._stamp = Path(sys.prefix) / "snapline-requirements.json"
        self._needs = (
            Needs(Path(sys.prefix), opening["environment"], opening["owner"])
            if opening["environment"]
            else None
        )
        self._constraints: str = opening["constraints"]
        self._pins = {canonical(name): version for name, version in _PIN.findall(self._constraints)}
        self._state = state

    def require(self, requirements: Sequence[str]) -> None:
        """Make sure that pip requirements are satisfied; raises InstallError."""
        self._repair()
        for text in requirements:
            self._claim(text)
        stamped = self._stamped()
        known = set(stamped) if self._constraints in stamped else set()
        missing = [
            text
            for text in requirements
            if not (text in known and _is_left(text)) and not self._satisfied(text)
        ]
        if missing:
            stamp = [*requirements, self._constraints]
            self._provide(missing, stamp, update=False, verbose=False)

    def ensure(self, name: str, version: str | None, update: bool, verbose: bool) -> str:
        """SLTool.ensure; returns pip's output, empty if there was nothing to do."""
        self._repair()
        if version is None and (plain := _PLAIN.fullmatch(name.strip())):
            name, version = plain[1], plain[2]
        name = DISTRIBUTIONS.get(canonical(name), name)
        if version is not None and is_old(canonical(name), version):
            return self._ensure_old(canonical(name), version, verbose)
        version = self._possible(name, version)
        wanted = f"{name}=={version}" if version else name
        self._claim(wanted)
        if not update and self._is_there(name, version):
            return ""
        return self._provide([wanted], [], update, verbose)

    def _ensure_old(self, name: str, version: str, verbose: bool) -> str:
        """An old TensorFlow or Keras: today's TensorFlow, and that very Keras beside it."""
        needed = [tensorflow_requirement(), *(BESIDE_KERAS if name == "keras" else ())]
        for text in needed:
            self._claim(text)
        output = ""
        if any(not self._is_there(_library(text), None) for text in needed):
            output = self._provide(needed, [], update=False, verbose=verbose)
        if name == "keras":
            wanted = [f"keras=={version}", *HELPERS_OF_KERAS]
            output += self._provide_aside(keras_folder(version), wanted, verbose)
        else:
            there = _version_there("tensorflow")
            warn(f"{name} {version}: using the version 1 interface of TensorFlow {there}")
        from .legacy.mending import mend_libraries  # few scripts need it

        mend_libraries()
        return output

    def _claim(self, wanted: str) -> None:
        """Record that the script needs this; raises InstallError if it conflicts with another's."""
        if self._needs is None or self._needs.is_noted(wanted):
            return
        with self._locked():
            if conflict := self._needs.conflict(wanted):
                raise InstallError(
                    conflict,
                    "give one of the scripts its own environment, or let both require the same "
                    "version; if the other script has changed since its last run, run it first",
                )
            self._needs.note(wanted)

    def _possible(self, name: str, version: str | None) -> str | None:
        """The version to use: None (any) if the wanted one is too old for this Python."""
        first = FIRST_FOR_311.get(canonical(name))
        if version is None or first is None or numbers(version) >= first:
            return version
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        there = _version_there(name) or "a newer version"
        warn(f"{name} {version} has no build for Python {python}; using {there} instead")
        return None

    def _satisfied(self, text: str) -> bool:
        plain = _PLAIN.fullmatch(text.strip())
        return plain is not None and self._is_there(plain[1], plain[2])

    def _is_there(self, name: str, version: str | None) -> bool:
        """Whether it is installed in the wanted version, else in the one of the constraints."""
        return is_there(name, version or self._pins.get(canonical(name)))

    def _stamped(self) -> list[str]:
        """Requirements that pip has found satisfied since the last installation."""
        try:
            stamped = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return []
        return stamped if isinstance(stamped, list) else []

    def _repair(self) -> None:
        if self._mark.exists():
            with self._locked():
                if self._mark.exists():
                    wanted = json.loads(self._mark.read_text() or "[]")
                    warn("the last installation into this environment was interrupted; retrying it")
                    self._pip(wanted, ["--ignore-installed"], verbose=False)

    def _provide(self, wanted: list[str], stamp: list[str], update: bool, verbose: bool) -> str:
        if not self._may_install(wanted):
            return ""
        with self._locked():
            importlib.invalidate_caches()
            if not update:  # another script may have installed it while this one was waiting
                wanted = [text for text in wanted if not self._satisfied(text)]
            output = self._pip(wanted, ["--upgrade"] * update, verbose) if wanted else ""
            self._stamp.write_text(json.dumps(stamp))
        return output

    def _provide_aside(self, folder: Path, wanted: list[str], verbose: bool) -> str:
        """Install into a folder of its own, which only this process puts on its path."""
        output = ""
        if not folder.exists():
            if not self._may_install(wanted):
                return ""
            with self._locked():
                if not folder.exists():  # another script may have been faster
                    part = folder.with_name(f"{folder.name}.part")
                    shutil.rmtree(part, ignore_errors=True)
                    options = ["--no-deps", "--target", str(part)]
                    done = self._pip_runs.install(wanted, options, verbose)
                    output = done.output("check that the package index is reachable")
                    part.rename(folder)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
            importlib.invalidate_caches()
        return output

    def _may_install(self, wanted: list[str]) -> bool:
        """Whether a missing library may be installed; raises InstallError if it must be there."""
        names = ", ".join(wanted)
        if self._policy == "check":
            warn(f"{names} is not installed; continuing without it (install: check)")
        if self._policy == "refuse":
            raise InstallError(
                f"{names} is not installed in {sys.prefix}, and the snap's install is 'refuse'",
                "install it there beforehand, or set install to 'install'",
            )
        return self._policy == "install"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the environment's lock, with the script's clock stopped."""
        self._state.pause()
        with self._lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another script to finish installing into this environment")
                fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                self._state.resume()

    def _pip(self, wanted: list[str], options: list[str], verbose: bool) -> str:
        self._mark.write_text(json.dumps(wanted))
        if self._needs is not None:
            options = [*options, *self._needs.constraints()]
        if self._constraints:
            file = Path(sys.prefix) / "snapline-given-constraints.txt"
            file.write_text(self._constraints)
            options = [*options, "--constraint", str(file)]
        done = self._pip_runs.install(wanted, options, verbose)
        if not done.was_killed:  # so nothing is half installed
            self._mark.unlink(missing_ok=True)
        importlib.invalidate_caches()
        return done.output(self._remedy())

    def _remedy(self) -> str:
        remedy = (
            "check the name and version, and that the package index is reachable"
            if self._needs is None
            else self._needs.remedy
        )
        if self._constraints:
            remedy += (
                "; the snap names a constraints file, whose versions must match this Python"
                f" ({sys.version_info.major}.{sys.version_info.minor}) and platform"
            )
        return remedy


_used: list[Installer] = []


def _library(requirement: str) -> str:
    """The name of the library in a requirement such as `h5py>=3`."""
    return re.split(r"[<>=!~]", requirement, maxsplit=1)[0]


def use(installer: Installer) -> None:
    """Make `installer` the one that SLTool uses; a script's process has exactly one."""
    _used[:] = [installer]


def current() -> Installer:
    return _used[0]


def _is_left(requirement: str) -> bool:
    """Whether the library of a requirement that was met has not been deleted since."""
    named = _NAMED.match(requirement)
    if named is None:  # a URL or a path
        return True
    found = Path(sys.prefix).glob("lib/*/site-packages/*.dist-info")
    return canonical(named[1]) in {canonical(info.name.partition("-")[0]) for info in found}


def is_there(name: str, version: str | None = None) -> bool:
    """Whether the distribution is installed (in that version), or its module can be imported."""
    if version is not None:
        return same_version(version, _version_there(name))
    return _version_there(name) is not None or _importable(name)


def _version_there(name: str) -> str | None:
    import importlib.metadata  # takes longer than most scripts need to start

    names = [name]
    if canonical(name) == "tensorflow":
        names += ["tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos"]
    for each in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(each)
    return None


def _importable(name: str) -> bool:
    module = MODULES.get(canonical(name), name.replace("-", "_"))
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a plain folder is not a library
