"""The requirements of scripts that share an environment, so that none changes another's library.

Each script's requirements are recorded in the environment, under the snap that runs it. An exact
version that differs from another script's is an error; all others become constraints for pip.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

MARK = "snapline-installing.json"
"""A file in an environment while something is being installed into it; it lists what."""

_EXACT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9.!+]+)")
_VERSIONS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*[<>=!~][^;@/]*")
_TRAILING = re.compile(r"(\.0)+$")


class Needs:
    """The needs of all scripts that share an environment; `owner` is the current script.

    Callers of `note` must hold the lock of the environment.
    """

    def __init__(self, prefix: Path, environment: str, owner: str) -> None:
        self._file = prefix / "snapline-needs.json"
        self._constraints = prefix / "snapline-constraints.txt"
        self._environment = environment
        self._owner = owner
        self._noted: set[str] = set()

    @property
    def remedy(self) -> str:
        texts = sorted(f"{text} ({owner})" for owner, text in self._of_others())
        remedy = "check the name and version, and that the package index is reachable"
        if texts:
            remedy += f"; other scripts share this environment and need: {', '.join(texts)}"
        return remedy

    def is_noted(self, wanted: str) -> bool:
        """Whether the current script has already noted it in this run."""
        return wanted in self._noted

    def conflict(self, wanted: str) -> str:
        """Which other script's need it contradicts, for a message; empty if none."""
        exact = _EXACT.fullmatch(wanted.strip())
        if exact is None:
            return ""
        for owner, text in self._of_others():
            other = _EXACT.fullmatch(text.strip())
            if other is None or canonical(other[1]) != canonical(exact[1]):
                continue
            if not same_version(exact[2], other[2]):
                return (
                    f"the environment {self._environment!r} is shared: {owner} needs "
                    f"{other[1]} {other[2]}, and {self._owner} needs {exact[1]} {exact[2]}"
                )
        return ""

    def note(self, wanted: str) -> None:
        """Record a need of the current script; it replaces another version of the same library."""
        self._noted.add(wanted)
        needs = self._read()
        own = {_name(text): text for text in needs.get(self._owner, [])}
        needs[self._owner] = list((own | {_name(wanted): wanted}).values())
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps(needs, indent=1))
        aside.replace(self._file)

    def constraints(self) -> list[str]:
        """Options that make pip respect the needs of the other scripts."""
        texts = sorted({text for _, text in self._of_others() if _VERSIONS.fullmatch(text)})
        if not texts:
            return []
        self._constraints.write_text("".join(f"{text}\n" for text in texts))
        return ["--constraint", str(self._constraints)]

    def _of_others(self) -> list[tuple[str, str]]:
        needs = self._read().items()
        return [(owner, text) for owner, texts in needs for text in texts if owner != self._owner]

    def _read(self) -> dict[str, list[str]]:
        try:
            needs = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(needs, dict):
            return {}
        return {owner: texts for owner, texts in needs.items() if _are_texts(texts)}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def canonical(name: str) -> str:
    """The normalised name of a distribution, as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def same_version(wanted: str, there: str | None) -> bool:
    """Whether a version is the wanted one: 1.0 equals 1.0.0, and 2.1+cpu satisfies 2.1."""
    if there is None:
        return False
    public = there if "+" in wanted else there.partition("+")[0]
    return _TRAILING.sub("", wanted.lower()) == _TRAILING.sub("", public.lower())


def _name(text: str) -> str:
    return canonical(re.split(r"[\s<>=!~;@\[]", text.strip(), maxsplit=1)[0])
