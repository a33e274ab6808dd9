"""Run the plan of a case, with what the case gives it in place of the outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from engine.errors import EngineError
from engine.plan.plan import Plan
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.observer import Source
from engine.run.runner import run_plan
from engine.script.executor import Executor
from engine.sdk.http import HttpResponse
from engine.testing.cases.guarding import CaseFiles, CaseGuard, outside_actions
from engine.testing.cases.preparing import Prepared, files_permitted, full_path
from engine.testing.cases.recording import Recorder


class Run(msgspec.Struct):
    """What a run left behind: what crossed its links, and the files that it wrote."""

    recorder: Recorder
    written: Mapping[str, bytes]
    failure: EngineError | None
    responses: list[HttpResponse | None]


def guard_of(prepared: Prepared, plan: Plan) -> CaseGuard:
    """What the snaps may reach; it has refused already what their classes say they would do."""
    case = prepared.case
    exchanges = {
        label: mocked.exchanges
        for label, mocked in case.mocks.items()
        if mocked.exchanges is not None
    }
    guard = CaseGuard(
        case.allow,
        exchanges,
        files_permitted(plan, prepared.registry),
        frozenset(full_path(each.name, plan) for each in case.written),
    )
    provided = {*case.allow, *exchanges}
    for refusal in outside_actions(plan, prepared.registry):
        if refusal.label not in provided:
            guard.refusals.append(refusal)
    return guard


def run_plan_of(prepared: Prepared, plan: Plan, guard: CaseGuard | None) -> Run:
    """Run the case; without a guard its snaps may do anything but change local files."""
    case = prepared.case
    recorder = Recorder(plan, prepared.inputs)
    with TemporaryDirectory(prefix="snapline-test-") as scratch:
        files = CaseFiles(plan.folder, plan.project, None, case.files, Path(scratch))

        async def run(
            parameters: Mapping[str, str] = case.parameters,
            inputs: Mapping[str, Source] = prepared.inputs,
            ledger: Ledger | None = None,
        ) -> EngineError | None:
            identity = identify(
                plan,
                parameters,
                timezone=case.timezone,
                now=case.now,
                random_seed=case.random_seed,
            )
            _, failure = await run_plan(
                plan,
                prepared.registry,
                identity,
                observer=recorder,
                scripts=Executor(),
                inputs=inputs,
                ledger=ledger,
                files=files,
                guard=guard,
            )
            return failure

        responses: list[HttpResponse | None] = []
        if case.task is None:
            failure = asyncio.run(run())
        else:
            from engine.testing.cases.hosting import call_task  # few cases have a task

            responses, failure = asyncio.run(call_task(plan, case.task, recorder, run))
        return Run(recorder, files.written, failure, responses)
