"""The authenticators of all tasks, and the files and keys that they share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from engine.errors import ConfigurationError
from engine.tasks.definition.jwt_rules import JwtRules, is_address
from engine.tasks.definition.task import Task
from engine.tasks.definition.token_file import load_tokens
from engine.tasks.definition.token_hash import TokenHash
from engine.tasks.front.authentication import Authenticator
from engine.tasks.front.json_keys import Keys, check_library, load_keys
from engine.tasks.front.jwt_check import JwtCheck, KeySource
from engine.tasks.front.key_set import KeySet
from engine.tasks.front.watched_file import WatchedFile

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks at the files."""


class KeyFile:
    """The keys of a file."""

    failure = ""
    may_be_fetched = False

    def __init__(self, path: str) -> None:
        self.file: WatchedFile[Keys] = WatchedFile(path, "the key set", load_keys)

    @property
    def keys(self) -> Keys:
        return self.file.value

    def renew_if_stale(self) -> None:
        """It is watched."""

    async def refreshed(self) -> None:
        """It is watched."""


class AccessControl:
    """Makes the authenticator of a task when it is first needed."""

    def __init__(self) -> None:
        self._token_files: dict[str, WatchedFile[tuple[TokenHash, ...]]] = {}
        self._key_files: dict[str, KeyFile] = {}
        self._key_sets: dict[str, KeySet] = {}
        self._authenticators: dict[str, Authenticator] = {}
        self._watch: asyncio.Task[None] | None = None

    def prepare(self, tasks: Iterable[Task]) -> None:
        """Read the files of these tasks. Raises ConfigurationError if a new one cannot be read;
        of one that was read before, the old content stays."""
        tasks = list(tasks)
        for file in self._files():
            file.reload()
        for task in tasks:
            try:
                if task.token_file:
                    self._token_file(task.token_file)
                if task.jwt is not None:
                    self._key_source(task.jwt)
            except ConfigurationError as error:
                where = f"the task {task.name!r} of {task.path!r}"
                raise ConfigurationError(f"{where}: {error}") from None

    def start(self) -> None:
        """Watch the files, and fetch the keys before the first caller needs them."""
        for key_set in self._key_sets.values():
            key_set.renew_if_stale()
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_again(), name="token files")

    def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        for key_set in self._key_sets.values():
            key_set.close()

    def tokens_of(self, path: str) -> Callable[[], tuple[TokenHash, ...]]:
        """Gives the tokens of a file as they are now. Raises ConfigurationError."""
        file = self._token_file(path)
        return lambda: file.value

    def of(self, task: Task) -> Authenticator:
        known = self._authenticators.get(task.name)
        if known is None or known.task is not task:
            known = self._authenticators[task.name] = self._make(task)
        return known

    def _make(self, task: Task) -> Authenticator:
        tokens = self.tokens_of(task.token_file) if task.token_file else tuple
        check = None if task.jwt is None else JwtCheck(task.jwt, self._key_source(task.jwt))
        return Authenticator(task, tokens, check)

    def _token_file(self, path: str) -> WatchedFile[tuple[TokenHash, ...]]:
        if path not in self._token_files:
            self._token_files[path] = WatchedFile(path, "the token file", load_tokens)
        return self._token_files[path]

    def _key_source(self, rules: JwtRules) -> KeySource:
        check_library()
        place = rules.jwks
        if is_address(place):
            return self._key_sets.setdefault(place, KeySet(place))
        if place not in self._key_files:
            self._key_files[place] = KeyFile(place)
        return self._key_files[place]

    def _files(self) -> list[WatchedFile[tuple[TokenHash, ...]] | WatchedFile[Keys]]:
        return [*self._token_files.values(), *(each.file for each in self._key_files.values())]

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                for file in self._files():
                    await asyncio.to_thread(file.look)
            except Exception:  # a bug of ours must not stop the watch
                log.exception("looking at the token files failed")
