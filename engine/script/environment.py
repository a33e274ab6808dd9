"""Virtual environments for scripts: one for each script, or one that several share by name.

An environment is built under a temporary name and then renamed, so it is either complete or absent.
It has no pip, which makes it cheap (a millisecond and 32 kB; `child/install.py` provides pip when
something must be installed). The next run of the script reuses it. A damaged one is rebuilt.
Scripts never use the engine's own environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import sys
import time
import uuid
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import SimpleNamespace

from engine.errors import ConfigurationError
from engine.script.integrity import damage
from engine.sdk.scripts import Script, ScriptFailure

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_NON_WORD = re.compile(r"[^A-Za-z0-9]+")
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment on this machine; whoever installs into it holds `lock`."""

    folder: Path
    lock: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def cache_folder() -> Path:
    """Where environments are kept: SNAPLINE_CACHE, or `snapline` in the user's cache folder."""
    if own := os.environ.get("SNAPLINE_CACHE"):
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snapline"


def name_of(script: Script) -> str:
    """The folder name of a script's environment; raises ConfigurationError for a bad name."""
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    if not script.environment:
        texts = sorted(text.strip() for text in script.requirements)
        facts = "\n".join([sys.base_prefix, script.owner, *texts])
        word = _NON_WORD.sub("-", PurePath(script.name).stem).strip("-")[:32] or "script"
        return f"{word}-{hashlib.sha256(facts.encode()).hexdigest()[:16]}-{python}"
    if not _NAME.fullmatch(script.environment):
        raise ConfigurationError(
            f"{script.environment!r} is not a valid name for a script environment; "
            "use letters, digits, '.', '_' and '-'"
        )
    return f"{script.environment}-{python}"


def provide(script: Script, wait: Callable[[], None], say: Callable[[str], None]) -> Environment:
    """The environment of a script, created if missing and rebuilt if damaged.

    `wait` is called while another process is building it, and may raise to give up; `say` gets a
    line about damage.
    """
    name = name_of(script)
    root = cache_folder() / "environments"
    environment = Environment(root / name, root / f".{name}.lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        if environment.python.exists() and _is_locked(environment.lock):
            return environment  # another process is installing into it, so its files are changing
        with _locked(environment.lock, wait):
            if not os.path.lexists(environment.folder):
                _make(environment.folder)
            elif reason := damage(environment.folder):
                say(f"the Python environment {name} is damaged ({reason}); rebuilding it")
                _make(environment.folder)
    except OSError as error:
        raise ScriptFailure(
            f"could not create an environment for {script.name} in {root}",
            str(error),
            "free space or grant write permission there, or set SNAPLINE_CACHE to another folder",
        ) from error
    return environment


def _is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def _locked(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                wait()
                time.sleep(_POLL_SECONDS)
        yield


def _make(folder: Path) -> None:
    for leftover in folder.parent.glob(f".{folder.name}.*.new"):  # a build that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.new")
    try:
        _Builder(symlinks=True, with_pip=False).create(aside)
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
        else:  # what somebody has put in its place
            folder.unlink(missing_ok=True)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


class _Builder(venv.EnvBuilder):
    """Omits the activation scripts: nobody uses them, and they would contain the temporary name."""

    def setup_scripts(self, context: SimpleNamespace) -> None:
        pass
