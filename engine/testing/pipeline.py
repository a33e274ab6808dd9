"""Run a complete pipeline in a test, from a file or a string, with given documents and files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.documents import Batch, Item
from engine.errors import ConfigurationError
from engine.numbers import with_decimals, with_floats
from engine.pipeline import PipelineSpec, load, parse
from engine.plan import compile_spec
from engine.plan.folders import folder_of, project_of
from engine.plan.plan import Port
from engine.registry import discover
from engine.run.identity import identify
from engine.run.report import Report
from engine.run.runner import run_plan
from engine.run.secrets import Secrets
from engine.script.executor import Executor
from engine.sdk.accounts import AccountKind
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor
from engine.testing.accounts import GivenAccounts
from engine.testing.files import ScratchFiles
from engine.testing.mocks import Mock, with_mocks

_YAML = re.compile(r":\s|\{")


@dataclass(slots=True)
class PipelineRun:
    """The result of a pipeline: items by open output (`label.view`), the report, written files.

    `files` maps the name of each file that was written to its bytes; `shown` are the lines of the
    snaps with their labels.
    """

    outputs: dict[str, list[Any]]
    report: Report
    files: dict[str, bytes]
    shown: list[tuple[str, str]]

    @property
    def output(self) -> list[Any]:
        """The items of the only open output, or of the first one that produced any."""
        return next(iter(self.outputs.values()), [])


def run_pipeline(
    pipeline: str | Path,
    *,
    inputs: Mapping[str, Sequence[Item]] | Sequence[Item] | None = None,
    parameters: Mapping[str, str] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    http: HttpClient | None = None,
    accounts: Mapping[str, AccountKind] | None = None,
    mocks: Mapping[str, Mock] | None = None,
    scripts: ScriptExecutor | None = None,
    project: str | Path = ".",
    timezone: str = "UTC",
    exact: bool = False,
) -> PipelineRun:
    """Run a pipeline to its end, as `engine run` does, without touching real files.

    `pipeline` is the path of a file, or its text (recognised by its line breaks), which then counts
    as `pipeline.yaml` in the folder `project`. `inputs` maps open inputs to their items; a list
    feeds the only one. `files` maps names to content: these take precedence over files on disk.
    Written files are returned, not saved to disk. `http` replaces the HTTP client (see CannedHttp);
    `accounts` maps names to accounts, which take precedence over files, too. `mocks` maps labels of
    snaps to what they put out instead: a list, a list per view, or a function of each document.
    A float in `inputs` counts as its shortest decimal; the numbers of the outputs are int and
    float, or with `exact` int and Decimal. Raises ConfigurationError with all problems of the
    pipeline, and the ExecutionError that stopped it.
    """
    spec = _spec(pipeline, Path(project))
    registry = discover()
    if mocks:
        spec, registry = with_mocks(spec, registry, mocks)
    folder = folder_of(spec.path)
    fakes = GivenAccounts(folder, project_of(folder), accounts or {})
    plan = compile_spec(spec, registry, accounts=fakes)
    observer = _RecordingObserver(with_decimals if exact else with_floats)
    with TemporaryDirectory(prefix="snapline-test-") as scratch:
        client = None if http is None else lambda: http
        own = ScratchFiles(plan.folder, plan.project, client, files or {}, Path(scratch))
        report, failure = asyncio.run(
            run_plan(
                plan,
                registry,
                identify(plan, parameters or {}, timezone=timezone),
                observer=observer,
                scripts=scripts or Executor(),
                inputs=with_decimals(_inputs(inputs, plan.open_inputs)),
                http=http,
                files=own,
                accounts=fakes,
            )
        )
        written = own.written
    if failure is not None:
        raise failure
    return PipelineRun(observer.outputs, report, written, observer.shown)


def _spec(pipeline: str | Path, project: Path) -> PipelineSpec:
    if isinstance(pipeline, str) and "\n" in pipeline.strip():
        return parse(pipeline, str(project / "pipeline.yaml"))
    try:
        return load(pipeline)
    except ConfigurationError as error:
        if _YAML.search(str(pipeline)):
            hint = "to pass the text of a pipeline, write it on several lines"
            raise ConfigurationError(f"{error}; {hint}") from None
        raise


def _inputs(
    inputs: Mapping[str, Sequence[Item]] | Sequence[Item] | None, open_inputs: Sequence[Port]
) -> Mapping[str, Sequence[Item]]:
    if inputs is None or isinstance(inputs, Mapping):
        return inputs or {}
    if len(open_inputs) != 1:
        names = ", ".join(map(str, open_inputs)) or "none"
        raise ConfigurationError(
            f"a list of inputs needs a pipeline with one open input; this one has: {names}"
        )
    return {str(open_inputs[0]): inputs}


class _RecordingObserver:
    """An observer that records outputs and shown lines."""

    def __init__(self, with_numbers: Callable[[Item], Item]) -> None:
        self.outputs: dict[str, list[Any]] = {}
        self._with_numbers = with_numbers
        self.shown: list[tuple[str, str]] = []

    def started(self, report: Report, secrets: Secrets) -> None:
        """Nothing to keep."""

    def show(self, label: str, text: str, request_id: str = "") -> None:
        self.shown.append((label, text))

    def output(self, port: Port, batch: Batch) -> None:
        self.outputs.setdefault(str(port), []).extend(map(self._with_numbers, batch.items))

    def finished(self, report: Report) -> None:
        report.outputs = self.outputs
