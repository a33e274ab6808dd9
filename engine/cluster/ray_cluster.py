"""The connection to a Ray cluster: how it is made, whether the cluster is still there, how it ends.

Ray prints on its own: messages of the cluster go to `sys.stdout`, whatever `log_to_driver` says.
So standard output must be kept for documents (engine.cli.reserved) for as long as Ray is connected.

Without its head node, a cluster is lost. Ray itself then waits: for a minute, after which it ends
this process on the spot, or, as a client of a cluster elsewhere, forever. So the head node is asked
every few seconds whether it is there.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import ray

from engine.cluster.cores import Workers, count_of
from engine.cluster.placement import PlacementError
from engine.errors import ConfigurationError

LOCAL = "ray"

ASK_SECONDS = 5.0
"""Seconds between two questions to the head node."""

PATIENCE_SECONDS = 30.0
"""Seconds without an answer after which the cluster counts as lost. Ray ends this process after 60
seconds, and a head node that is replaced, which needs an external Redis, takes some 20."""

ATTEMPTS = 3
"""How often a client connects if the head node is too busy to start the server for it in time."""

DISCONNECT_SECONDS = 20.0
"""Seconds that Ray gets to disconnect."""

T = TypeVar("T")


class Room(NamedTuple):
    """What a cluster has: the resources of each node, and what is free of them in all."""

    nodes: list[dict[str, float]]
    free: dict[str, float]

    def describe(self, names: Iterable[str]) -> str:
        """The resources of these names."""
        return " and ".join(
            f"{sum(node.get(name, 0.0) for node in self.nodes):g} {name} "
            f"({max(0.0, self.free.get(name, 0.0)):g} free)"
            for name in names
        )


def room() -> Room:
    """Waits for the head node."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return Room(nodes, ray.available_resources())


class RayCluster:
    """A cluster to which this process is connected. `name` is what the user calls it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_gone = False
        self._is_client = bool(ray.util.client.ray.is_connected())
        self._address = _head_address()
        self._watching: asyncio.Task[None] | None = None
        self._gone: asyncio.Future[None] | None = None

    @property
    def gone(self) -> asyncio.Future[None]:
        """Resolved once the cluster is lost. The first call begins to watch."""
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
            self._watching = asyncio.create_task(self._watch(self._gone))
        return self._gone

    def error(self) -> PlacementError:
        """Says that it is gone."""
        hint = "and run again; no incomplete output file was put in place"
        if not self._is_connected():
            return PlacementError(
                f"the connection to the Ray cluster {self.name} broke, and with it the workers",
                f"check that its head node is up and reachable, {hint}",
            )
        return PlacementError(
            f"the Ray cluster {self.name} is gone: its head node at {self._address[0]} has not "
            f"answered for {PATIENCE_SECONDS:.0f} seconds",
            f"check that it is up and reachable, {hint}",
        )

    async def close(self) -> None:
        """Watch no longer."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def room(self) -> Room:
        """Raises PlacementError."""
        if self.is_gone:
            raise self.error()
        found = _in_thread(room)
        either: list[asyncio.Future[Any]] = [found, self.gone]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not found.done() or self.is_gone:
            raise self.error()
        return found.result()

    async def is_there(self) -> bool:
        """Whether the head node answers; waits until it does, or is gone."""
        while not self.is_gone:
            answer = _in_thread(self._answers)
            either: list[asyncio.Future[Any]] = [answer, self.gone]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.result():
                return True
            await asyncio.wait([self.gone], timeout=1)
        return False

    async def _watch(self, gone: asyncio.Future[None]) -> None:
        seen = monotonic()
        while self._is_connected():
            asked = monotonic()
            answer = _in_thread(self._answers)
            done, _ = await asyncio.wait([answer], timeout=PATIENCE_SECONDS)
            if done and answer.result():
                seen = monotonic()
            elif monotonic() - seen >= PATIENCE_SECONDS:
                break
            await asyncio.sleep(max(0.0, asked + ASK_SECONDS - monotonic()))
        self.is_gone = True
        if not gone.done():
            gone.set_result(None)

    def _is_connected(self) -> bool:
        """Whether a client has not given up to connect again."""
        return not self._is_client or bool(ray.util.client.ray.is_connected())

    def _answers(self) -> bool:
        """Whether the head node is there, and the server of this client, if it is one."""
        if self._is_client:
            try:
                return bool(_client().ping_server(PATIENCE_SECONDS))
            except Exception:  # noqa: BLE001  # of grpc, or that it is not connected
                return False
        try:
            with socket.create_connection(self._address, PATIENCE_SECONDS):
                return True
        except OSError:
            return False


@contextmanager
def connected(address: str, workers: Workers) -> Iterator[tuple[RayCluster, int]]:
    """Connect to a cluster, and start one on this machine if there is none to use.

    `address` is `ray` or `ray://HOST:PORT`; `ray` is the cluster that the environment variable
    RAY_ADDRESS names, as it does within a Ray job, and otherwise one of this run's own. Yields the
    cluster and the number of workers; "auto" is one for each CPU. Raises ConfigurationError.
    """
    is_ours = not ray.is_initialized()
    target = os.environ.get("RAY_ADDRESS", "local") if address == LOCAL else address
    count = count_of(workers)
    cluster = None
    try:
        if is_ours:
            own: dict[str, Any] = {"num_cpus": count, "include_dashboard": False}
            _initialize(address, target, own if target == "local" else {})
        cluster = RayCluster("on this machine" if target == "local" else repr(target))
        if workers == "auto":
            count = max(1, int(ray.cluster_resources().get("CPU", 0.0)))
        yield cluster, count
    finally:
        if is_ours:
            _disconnect(is_gone=cluster is not None and cluster.is_gone)


def _client() -> Any:
    """What holds the connection if this process is a client of a cluster elsewhere."""
    return ray.util.client.ray.get_context().client_worker


def _head_address() -> tuple[str, int]:
    """Where the head node listens; for a client, where it has connected to."""
    is_client = ray.util.client.ray.is_connected()
    text = _client()._conn_str if is_client else ray.get_runtime_context().gcs_address
    host, _, port = str(text).rpartition(":")
    return host.strip("[]"), int(port)


def _in_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """The result of a call in a thread that nobody waits for, should it never return."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if result.done():
            return
        if error is None:
            result.set_result(value)  # type: ignore[arg-type]  # what the function has returned
        else:
            result.set_exception(error)

    def call() -> None:
        outcome: tuple[T | None, Exception | None]
        try:
            outcome = function(), None
        except Exception as error:  # noqa: BLE001  # raised where the result is awaited
            outcome = None, error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=call, name="asking Ray", daemon=True).start()
    return result


def _initialize(address: str, target: str, own: dict[str, Any]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _no_command_line():
                ray.init(target, log_to_driver=False, configure_logging=False, **own)
        except Exception as error:  # noqa: BLE001  # it raises anything, of its own and of grpc
            if attempt == ATTEMPTS or "Initialization failure from server" not in str(error):
                raise ConfigurationError(f"--on {address}: {_refusal(error, target)}") from None
        else:
            return


@contextmanager
def _no_command_line() -> Iterator[None]:
    """Ray publishes the command line of a run, which may have secrets as `--param NAME=VALUE`, in
    the cluster's list of jobs. There is no setting against that."""
    utils = ray._private.utils
    described = utils.get_entrypoint_name
    utils.get_entrypoint_name = lambda: "engine run"
    try:
        yield
    finally:
        utils.get_entrypoint_name = described


def _disconnect(*, is_gone: bool) -> None:
    """Disconnect, and end a cluster of our own."""
    if is_gone:
        atexit.register(_exit_at_once)
        return

    def shut_down() -> None:
        with suppress(Exception):  # the cluster may be gone
            ray.shutdown()

    closing = threading.Thread(target=shut_down, name="disconnecting from Ray", daemon=True)
    closing.start()
    closing.join(DISCONNECT_SECONDS)


def _exit_at_once() -> None:
    """End the process of a run that has lost its cluster, as the last thing it does: Ray would wait
    for the cluster, and its threads crash the end of the interpreter."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(1)


def _refusal(error: Exception, target: str) -> str:
    """Why there is no connection."""
    text = str(error)
    if "ersion mismatch" in text:
        return (
            "the cluster has another version of Ray or Python; install the same ones here: "
            + " ".join(text.split())
        )
    if re.search(r"auth|token|UNAUTHENTICATED", text, re.IGNORECASE):
        return (
            f"the cluster at {target!r} refused the token, or got none; set RAY_AUTH_MODE=token, "
            "and RAY_AUTH_TOKEN_PATH to the file with the token of the cluster"
        )
    reason = next(filter(None, map(str.strip, text.splitlines())), type(error).__name__)
    return (
        f"cannot connect to Ray at {target!r}: {reason}; check that the cluster is running, and "
        "that RAY_AUTH_TOKEN_PATH names a file with its token"
    )
