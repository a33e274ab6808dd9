"""Signals stop a run: the first one in the middle of a snap, the second one the process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import pytest

from engine import api
from engine.cli.exit_codes import STOPPED
from engine.cli.stopping import stopped_by_signals
from engine.run.stopping import Stopper
from engine.sdk import Document, Settings, Snap
from tests.run.flowing import Watching, registry_with


class NoSettings(Settings):
    """No settings."""


class Busy(Snap[NoSettings]):
    """Never waits, and gets a signal while it works on a document."""

    stateful = False
    number: ClassVar[signal.Signals]
    events: ClassVar[list[str]] = []

    def process(self, document: Document) -> Document:
        self.events.append("begun")
        signal.raise_signal(self.number)
        self.events.append("went on")
        return document

    def close(self) -> None:
        self.events.append("closed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_breaks_a_snap_off_in_mid_document(
    number: signal.Signals, tmp_path: Path
) -> None:
    Busy.number, Busy.events = number, []
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Busy}}")
    watching = Watching()

    async def go() -> None:
        stopper = Stopper()
        with stopped_by_signals(stopper):
            await api.start(
                tmp_path / "pipeline.yaml",
                registry_with(Busy),
                inputs={"one": [{"n": number} for number in range(100)]},
                observer=watching,
                stopper=stopper,
            )

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert Busy.events == ["begun", "closed"]
    assert watching.outputs == {}


@pytest.fixture
def default_ctrl_c() -> Iterator[None]:
    """Ctrl-C as a program has it that runs in the foreground; in background it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_ctrl_c")
def test_ctrl_c_breaks_off_a_run_of_the_embedding_api(tmp_path: Path) -> None:
    Busy.number, Busy.events = signal.SIGINT, []
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Busy}}")
    with pytest.raises(KeyboardInterrupt):
        api.run(
            tmp_path / "pipeline.yaml",
            registry_with(Busy),
            inputs={"one": [{"n": number} for number in range(100)]},
        )
    assert Busy.events == ["begun", "closed"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_that_embeds_a_run_stays_in_force(tmp_path: Path) -> None:
    Busy.number, Busy.events = signal.SIGINT, []
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Busy}}")
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        api.run(tmp_path / "pipeline.yaml", registry_with(Busy), inputs={"one": [{"n": 1}]})
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert Busy.events == ["begun", "went on", "closed"]


def test_a_run_in_a_thread_leaves_signals_alone(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("snaps: {one: {snap: Filter, filter: 'true'}}")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(api.run, tmp_path / "pipeline.yaml", inputs={"one": [{"n": 1}]})
    assert running.result().outputs == {"one.output": [{"n": 1}]}


def test_the_handlers_of_before_are_there_again(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def go() -> None:
        with stopped_by_signals(Stopper()):
            assert signal.getsignal(signal.SIGTERM) is not before

    asyncio.run(go())
    assert signal.getsignal(signal.SIGTERM) is before


STUBBORN = """
import asyncio, signal
from engine.cli.stopping import stopped_by_signals
from engine.run.stopping import Stopper

async def go():
    stopper = Stopper()
    with stopped_by_signals(stopper):
        def stubborn():
            try:
                signal.raise_signal(signal.SIGINT)
            except BaseException:
                print("swallowed", flush=True)
            signal.raise_signal(signal.SIGINT)
            print("still here", flush=True)
        stopper.call(stubborn)

asyncio.run(go())
"""


def test_the_second_signal_ends_the_process_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUBBORN], capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout) == (STOPPED, "swallowed\n")
