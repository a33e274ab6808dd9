"""`engine run --watch`: run again whenever a file of the pipeline changes."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

from engine.api.checking import spec_of
from engine.cli.errors import run_command
from engine.cli.watching import Watch, announce, needs_restart, own_code, restart
from engine.errors import ConfigurationError, InvalidPipelineError
from engine.plan import compile_spec
from engine.plan.folders import is_file, local_path
from engine.plan.plan import Plan
from engine.registry import Registry
from engine.sdk.settings import Evaluated, settings_of


def watch_run(
    run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace, registry: Registry
) -> int:
    """Run until Ctrl+C ends it; 0. A change stops the run that is in progress."""
    if arguments.input == "-":
        raise ConfigurationError("--watch reads its input again and again; give a file, not -")
    code = own_code(registry, arguments.pipeline)
    given = filter(None, (arguments.pipeline, arguments.input, *arguments.parameter_files))
    watched = Watch([*given, *code])
    changed: Sequence[str] = ()
    try:
        while True:
            watched.begin()
            if changed:
                announce(changed)
            watched.add(_files_of(arguments.pipeline, registry))
            changed = _run_until_change(run, arguments, watched)
            if needs_restart(code, changed):
                restart()
    except KeyboardInterrupt:
        return 0


def _run_until_change(
    run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace, watched: Watch
) -> Sequence[str]:
    """Run once. Returns the files that have changed, during the run or after it."""
    interrupter = _Interrupter(watched)
    try:
        with interrupter:
            run_command(run, arguments)
    except KeyboardInterrupt:
        if not interrupter.changed:
            raise
        return interrupter.changed
    watched.announce()
    return watched.wait()


class _Interrupter:
    """Stops what runs in the block, as Ctrl+C does, when a file changes."""

    def __init__(self, watched: Watch) -> None:
        self.changed: Sequence[str] = ()
        self._watched = watched
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            self._is_over.set()
        self._thread.join()

    def _wait(self) -> None:
        changed = self._watched.wait(self._is_over.wait)
        with self._lock:
            if changed and not self._is_over.is_set():
                self.changed = changed
                os.kill(os.getpid(), signal.SIGINT)


def _files_of(pipeline: str, registry: Registry) -> set[str]:
    """The files that a pipeline and those that it runs name, apart from what they write."""
    files: set[str] = set()
    pending = [pipeline]
    while pending:
        path = pending.pop()
        if path in files:
            continue
        files.add(path)
        try:
            plan = compile_spec(spec_of(path, registry), registry)
        except InvalidPipelineError as error:
            files |= {problem.where.path for problem in error.problems}
        except ConfigurationError:
            continue  # the run reports it
        else:
            files |= set(_named_files(plan, registry))
            pending += _pipelines_of(plan, registry)
    return files


def _named_files(plan: Plan, registry: Registry) -> Iterator[str]:
    yield from (library.path for library in plan.libraries)
    for snap in plan.snaps:
        snap_class, settings = registry[snap.type], snap.settings
        written = {file.name.value for file in snap_class.files_written(settings)}
        values = (getattr(settings, name) for name in settings_of(type(settings)))
        names = [value.value for value in values if isinstance(value, Evaluated)]
        names += [name for _, name in snap_class.files_needed(settings)]
        names += [code.file for code in snap_class.python_code(settings)]
        for name in names:
            if name and isinstance(name, str) and name not in written:
                path = local_path(name, plan.folder, plan.project)
                if path is not None and is_file(path):
                    yield str(path)


def _pipelines_of(plan: Plan, registry: Registry) -> Iterator[str]:
    for snap in plan.snaps:
        for child in registry[snap.type].children(snap.settings):
            name = child.pipeline.value
            path = local_path(name, plan.folder, plan.project) if name else None
            if path is not None:
                yield str(path if path.suffix else path.with_suffix(".yaml"))
