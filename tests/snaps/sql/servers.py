"""Database servers for tests: from Debian's packages, on the loopback, in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from engine.sdk import SqlAccount

_TIMEOUT = 120
S = TypeVar("S", bound="Server")


class Server:
    """A server that can be stopped as if it had crashed, and started again."""

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self._user = user

    def run(self, *command: str | Path) -> None:
        """Run a command as the user of the server: it refuses to be root's."""
        subprocess.run(
            [*_as_user(self._user), *map(str, command)],
            check=True,
            timeout=_TIMEOUT,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    @property
    def account(self) -> SqlAccount:
        raise NotImplementedError


class PostgreSQL(Server):
    def __init__(self, folder: Path, user: str, programs: Path) -> None:
        super().__init__(folder, user)
        self._programs = programs
        self._data = folder / "data"
        self.run(programs / "initdb", "-D", self._data, "-U", "test", "-A", "trust", "-E", "UTF8")

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        log = self.folder / "log"
        self.run(
            self._programs / "pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start"
        )

    def stop(self) -> None:
        self._control("-m", "immediate", "-w", "stop")

    def _control(self, *arguments: str | Path) -> None:
        self.run(self._programs / "pg_ctl", "-D", self._data, *arguments)

    @property
    def account(self) -> SqlAccount:
        return SqlAccount(
            dialect="postgresql",
            host="127.0.0.1",
            port=self.port,
            database="postgres",
            username="test",
            password="not looked at",
        )


class MariaDB(Server):
    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(folder, user)
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        options = ("--auth-root-authentication-method=normal", "--skip-test-db")
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self._data}", *options)

    def start(self) -> None:
        socket_file = self.folder / "socket"
        self._process = subprocess.Popen(
            [
                *_as_user(self._user),
                _mariadbd(),
                "--no-defaults",
                f"--datadir={self._data}",
                f"--socket={socket_file}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                "--innodb-flush-log-at-trx-commit=0",
            ],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = ("mariadb-admin", "--no-defaults", f"--socket={socket_file}", "--user=root")
        self.run(*client, "--wait=60", "ping")
        self.run(
            "mariadb",
            "--no-defaults",
            f"--socket={socket_file}",
            "--user=root",
            "-e",
            "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4; "
            "CREATE USER IF NOT EXISTS test@'127.0.0.1' IDENTIFIED BY 'swordfish'; "
            "GRANT ALL ON *.* TO test@'127.0.0.1';",
        )

    def stop(self) -> None:
        assert self._process is not None  # start() was called
        self._process.kill()
        self._process.wait(_TIMEOUT)

    @property
    def account(self) -> SqlAccount:
        return SqlAccount(
            dialect="mysql",
            host="127.0.0.1",
            port=self.port,
            database="shop",
            username="test",
            password="swordfish",
        )


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server that runs; skips the test if its programs are missing."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        _missing("PostgreSQL", "postgresql")
    with _folder("postgres") as (folder, user):
        yield from _running(PostgreSQL(folder, user, found[-1].parent))


@contextmanager
def mariadb() -> Iterator[MariaDB]:
    """A server that runs; skips the test if its programs are missing."""
    if not _mariadbd() or not shutil.which("mariadb-install-db"):
        _missing("MariaDB", "mariadb-server")
    with _folder("mysql") as (folder, user):
        yield from _running(MariaDB(folder, user))


def _running(server: S) -> Iterator[S]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, str]]:
    """A temporary folder of the user who runs the server: that one if we are root."""
    folder = Path(tempfile.mkdtemp(prefix="snapline-db-"))
    try:
        if os.getuid() == 0:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        else:
            user = ""
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_user(user: str) -> Sequence[str]:
    if not user:
        return ()
    return ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")


def _mariadbd() -> str:
    return shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin") or ""


def _missing(name: str, package: str) -> NoReturn:
    reason = f"{name} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
