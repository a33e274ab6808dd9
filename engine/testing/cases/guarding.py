"""What the snaps of a case may reach of the outside: nothing but what the case gives or allows."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from engine.errors import ExecutionError
from engine.plan.accounts import Accounts
from engine.plan.plan import Plan, PlannedSnap
from engine.registry import Registry
from engine.run.files import ProjectFiles
from engine.run.files.names import is_local
from engine.run.services import Outside
from engine.sdk.files import FileAction, FileContent, FileEntry, FileTarget, Purpose
from engine.sdk.http import HttpCall, HttpClient, HttpDownload, HttpRequest, shown_url
from engine.sdk.scripts import Script, ScriptExecutor, ScriptFailure, ScriptSession
from engine.sdk.settings import Account, settings_of
from engine.testing.cases.case import Exchange
from engine.testing.cases.exchanges import RecordedHttp
from engine.testing.files import ScratchFiles

if TYPE_CHECKING:
    from engine.pipeline.account_file import AccountFile
    from engine.sdk.accounts import AccountKind

Refuse = Callable[[str, str], ExecutionError]
"""Makes the error for what a snap does, such as `reads 'a.csv'`, with a hint."""


class Refusal(NamedTuple):
    """A snap did something on the outside that the case does not provide for."""

    label: str
    action: str
    hint: str


class CaseFiles(ScratchFiles):
    """The files of a case; real ones are missing for a snap with `refuse`, except `permitted`.

    `writable` are the names of files that the case expects.
    """

    refuse: Refuse | None = None
    permitted: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()

    def for_snap(
        self, refuse: Refuse, permitted: Iterable[str], writable: Iterable[str]
    ) -> CaseFiles:
        files = copy(self)
        files.refuse = refuse
        files.permitted = frozenset(permitted)
        files.writable = frozenset(writable)
        return files

    def size(self, name: str, *, to: Purpose = "read") -> int | None:
        self._check(self.locate(name), "looks for")
        return super().size(name, to=to)

    def read(self, name: str) -> FileContent:
        self._check_given(name)
        return super().read(name)

    def seekable(self, name: str) -> IO[bytes]:
        self._check_given(name)
        return super().seekable(name)

    def entries(self, folder: str, pattern: str) -> Iterator[FileEntry]:
        located = self.locate(folder)
        self._check(located, "lists")
        if self.refuse is not None and not self._scratch_path(located).is_dir():
            raise self.refuse(f"lists {folder!r}", "give the folder's files in 'files:'")
        return super().entries(folder, pattern)

    def write(self, name: str, action: FileAction, *, create_folder: bool) -> FileTarget:
        located = self.locate(name)
        self._check(located, "writes")
        if self.refuse is not None and located not in self.writable:
            hint = "expect it in 'files:' of 'expect:'"
            raise self.refuse(f"writes {self._shown(located)!r}", hint)
        return super().write(name, action, create_folder=create_folder or self.refuse is not None)

    def remove(self, name: str) -> None:
        self._check_given(name)
        super().remove(name)

    def _check(self, located: str, does: str) -> None:
        if self.refuse is not None and not is_local(located):
            raise self.refuse(f"{does} {located!r}", "")

    def _check_given(self, name: str) -> None:
        located = self.locate(name)
        self._check(located, "reads")
        if self.refuse is not None and self._is_hidden(located) and located not in self._removed:
            shown = self._shown(located)
            raise self.refuse(f"reads {shown!r}", f"give the file in 'files:' as {shown!r}")

    def _is_hidden(self, located: str) -> bool:
        is_real = not self._scratch_path(located).exists() and located not in self.permitted
        return super()._is_hidden(located) or (self.refuse is not None and is_real)

    def _shown(self, located: str) -> str:
        """The name as the pipeline would write it: within its project, relative to its folder."""
        if not is_local(located) or not Path(located).is_relative_to(self.locate("sldb:///")):
            return located
        return os.path.relpath(located, self.locate("."))


class CaseGuard:
    """Gives each snap of a run its way to the outside; `refusals` holds what was refused.

    Snaps with `exchanges` may send requests that these answer. A snap in `allow` may do anything,
    and so may the snaps of a pipeline that it runs.
    """

    def __init__(
        self,
        allow: Collection[str],
        exchanges: Mapping[str, tuple[Exchange, ...]],
        permitted: Mapping[str, frozenset[str]],
        writable: frozenset[str],
    ) -> None:
        self._allow = allow
        self._exchanges = exchanges
        self._permitted = permitted
        self._writable = writable
        self.refusals: list[Refusal] = []

    def __call__(self, label: str, outside: Outside) -> Outside:
        if label.partition("/")[0] in self._allow:
            return outside
        return _GuardedOutside(self, label, outside)

    def refuser(self, label: str) -> Refuse:
        def refuse(action: str, hint: str) -> ExecutionError:
            refusal = Refusal(label, action, hint)
            if refusal not in self.refusals:
                self.refusals.append(refusal)
            return ExecutionError(f"the snap {action}, which the case neither mocks nor allows")

        return refuse

    def files(self, label: str, files: ProjectFiles) -> ProjectFiles:
        assert isinstance(files, CaseFiles)  # a case has no others
        permitted = self._permitted.get(label, frozenset())
        return files.for_snap(self.refuser(label), permitted, self._writable)

    def http(self, label: str) -> HttpClient:
        exchanges = self._exchanges.get(label)
        if exchanges is not None:
            return RecordedHttp(exchanges, self.refuser(label))
        return _NoHttp(self.refuser(label))

    def has_exchanges(self, label: str) -> bool:
        return label in self._exchanges


class _GuardedOutside:
    """The way of a snap that the case neither mocks nor allows."""

    def __init__(self, guard: CaseGuard, label: str, outside: Outside) -> None:
        refuse = guard.refuser(label)
        self.files = guard.files(label, outside.files)
        self.http = guard.http(label)
        self.scripts: ScriptExecutor = _NoScripts(refuse)
        accounts = outside.accounts
        self.accounts = accounts if guard.has_exchanges(label) else _NoAccounts(refuse)


class _NoHttp:
    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse

    def send(self, request: HttpRequest, notice: Callable[[str], None]) -> HttpCall:
        raise self._refused(request)

    def download(self, request: HttpRequest) -> HttpDownload:
        raise self._refused(request)

    def _refused(self, request: HttpRequest) -> ExecutionError:
        return self._refuse(f"sends {request.method} {shown_url(request.url)!r}", "")


class _NoScripts:
    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse

    def open(
        self,
        script: Script,
        output: Callable[[str], None],
        lost: Callable[[ScriptFailure], None] = lambda failure: None,
    ) -> ScriptSession:
        raise self._refuse("runs a script", "")


class _NoAccounts(Accounts):
    def __init__(self, refuse: Refuse) -> None:
        super().__init__(".", ".")
        self._refuse = refuse

    def read(self, name: str, accepted: tuple[type[AccountKind], ...]) -> AccountFile | None:
        raise self._refuse(f"uses the account {name!r}", "")


def outside_actions(plan: Plan, registry: Registry) -> Iterator[Refusal]:
    """What snaps would do on the outside, as far as their classes tell before the run.

    The guard refuses the rest, such as reading a file, when a snap does it.
    """
    for snap in plan.snaps:
        snap_class = registry[snap.type]
        if any(snap_class.python_code(snap.settings)):
            yield Refusal(snap.label, "runs a script", "")
        elif name := _account_of(snap):
            yield Refusal(snap.label, f"uses the account {name!r}", "")
        elif snap.facts.writes and not any(snap_class.files_written(snap.settings)):
            yield Refusal(snap.label, "acts on the outside", "")
        elif snap.facts.blocking and not snap_class.views_for(snap.settings).inputs:
            yield Refusal(snap.label, "is a source that waits for the outside", "")


def _account_of(snap: PlannedSnap) -> str:
    values = (getattr(snap.settings, name) for name in settings_of(type(snap.settings)))
    accounts = (value for value in values if isinstance(value, Account))
    names = (each.value or (each.expression and f"= {each.expression.text}") for each in accounts)
    return next((name for name in names if name), "")
