"""The resources of a process that the snaps of a run use."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.documents import Batch
from engine.plan.accounts import Accounts
from engine.plan.plan import Plan, Port
from engine.run.accounts import SharedByAccount
from engine.run.files import ProjectFiles
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor

if TYPE_CHECKING:
    from engine.run.http import LoopClient

Show = Callable[[str, str], None]
Crossed = Callable[[Port, Batch], None]


class Services:
    """Files, accounts, an HTTP client, the script executor, a temporary folder, and callbacks.

    `show(label, line)` is called for every line that a snap shows, and `crossed`, if given, for
    every batch that leaves a view. Both may be called from any thread. Without `http`, a client is
    created when a snap asks for one.
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
    ) -> None:
        self.files = files or ProjectFiles(plan.folder, plan.project, lambda: self.http)
        self.accounts = accounts or Accounts(plan.folder, plan.project)
        self.shared = SharedByAccount()
        self.scripts = scripts
        self.show = show
        self.crossed = crossed
        self._http = http
        self._own_http: LoopClient | None = None
        self._http_lock = threading.Lock()

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
        with self._http_lock:
            if self._own_http is None:
                from engine.run.http import LoopClient  # importing aiohttp would double the start

                self._own_http = LoopClient()
            return self._own_http

    def close(self) -> None:
        """Close what accounts share and the files, end the HTTP client, remove the temporary
        folder."""
        self.shared.close()
        self.files.close()
        if self._own_http is not None:
            self._own_http.close()
        if "folder" in self.__dict__:
            import shutil  # imports all of Python's compression

            shutil.rmtree(self.folder, ignore_errors=True)
