"""The resources of a process that the snaps of a run use."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.documents import Batch
from engine.errors import ConfigurationError
from engine.plan.accounts import Accounts
from engine.plan.plan import Plan, Port
from engine.run.accounts import SharedByAccount
from engine.run.files import ProjectFiles
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor

if TYPE_CHECKING:
    from engine.run.child_loop import ChildLoop
    from engine.run.http import LoopClient


class Show(Protocol):
    def __call__(self, label: str, text: str, request_id: str = "", /) -> None: ...


Crossed = Callable[[Port, Batch], None]


class Outside(Protocol):
    """The way of a snap to what is outside of the run."""

    @property
    def files(self) -> ProjectFiles: ...
    @property
    def http(self) -> HttpClient: ...
    @property
    def scripts(self) -> ScriptExecutor: ...
    @property
    def accounts(self) -> Accounts: ...


Guard = Callable[[str, Outside], Outside]
"""What a snap may reach of the outside, by its label; that of a snap of a child run follows the
label of the snap that runs the child and a slash."""


class Services:
    """Files, accounts, an HTTP client, the script executor, a temporary folder, and callbacks.

    A child run shares those of its `parent`, and has files and a temporary folder of its own.

    `show(label, line, request_id)` is called for every line that a snap shows, and `crossed`, if
    given, for every batch that leaves a view. Both may be called from any thread. Without `http`, a
    client is created when a snap asks for one. A `guard` decides what each snap may reach. `caller`
    is the snap of the parent that runs this child.
    """

    def __init__(
        self,
        plan: Plan,
        scripts: ScriptExecutor,
        show: Show,
        http: HttpClient | None = None,
        files: ProjectFiles | None = None,
        crossed: Crossed | None = None,
        accounts: Accounts | None = None,
        parent: Services | None = None,
        guard: Guard | None = None,
        caller: str = "",
    ) -> None:
        if http is not None and not isinstance(http, HttpClient):
            raise ConfigurationError(
                f"'http' must be an HTTP client such as CannedHttp(...), not {type(http).__name__}"
            )
        if parent is not None:
            files = parent.files.in_folder(plan.folder, plan.project)
            accounts = parent.accounts.in_folder(plan.folder, plan.project)
        self.files: ProjectFiles = files or ProjectFiles(
            plan.folder, plan.project, lambda: self.http
        )
        self.accounts: Accounts = accounts or Accounts(plan.folder, plan.project)
        self.shared: SharedByAccount = SharedByAccount() if parent is None else parent.shared
        self._parent = parent
        self._guard: Guard | None = guard if parent is None else parent._guard
        self._prefix: str = "" if parent is None else f"{parent._prefix}{caller}/"
        self.scripts = scripts
        self.show = show
        self.crossed = crossed
        self._http = http
        self._own_http: LoopClient | None = None
        self._child_loop: ChildLoop | None = None
        self._lock = threading.Lock()

    def of(self, label: str) -> Outside:
        """What the snap of that label may reach."""
        return self if self._guard is None else self._guard(f"{self._prefix}{label}", self)

    @property
    def caller(self) -> str:
        """The snap of the outermost run that runs this one; empty in that run itself."""
        return self._prefix.partition("/")[0]

    @cached_property
    def folder(self) -> Path:
        """The temporary folder of the run, if a snap creates it."""
        import tempfile  # few pipelines ask for it

        return Path(tempfile.gettempdir()) / f"snapline-{uuid.uuid4()}"

    @property
    def http(self) -> HttpClient:
        """The HTTP client that all snaps of the run share."""
        if self._http is not None:
            return self._http
        if self._parent is not None:
            return self._parent.http
        with self._lock:
            if self._own_http is None:
                from engine.run.http import LoopClient  # importing aiohttp would double the start

                self._own_http = LoopClient()
            return self._own_http

    @property
    def child_loop(self) -> ChildLoop:
        """The event loop on which all child runs run, those of children too."""
        if self._parent is not None:
            return self._parent.child_loop
        with self._lock:
            if self._child_loop is None:
                from engine.run.child_loop import ChildLoop  # few pipelines run others

                self._child_loop = ChildLoop()
            return self._child_loop

    def close(self) -> None:
        """Close what accounts share and the files, end the HTTP client, remove the temporary
        folder."""
        if self._child_loop is not None:
            self._child_loop.close()
        if self._parent is None:
            self.shared.close()
        else:
            self.shared.leave(self)
        self.files.close()
        if self._own_http is not None:
            self._own_http.close()
        if "folder" in self.__dict__:
            import shutil  # imports all of Python's compression

            shutil.rmtree(self.folder, ignore_errors=True)
