"""Whether a plan can be hosted: what callers send must find its way in, and answers theirs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.errors import Problem
from engine.plan.graph import downstream
from engine.plan.plan import Plan, PlannedSnap, Port


def check_ultra(plan: Plan) -> list[Problem]:
    """All reasons why requests could not be answered by this pipeline (reference, section 5.3)."""
    if len(plan.open_inputs) != 1:
        return list(_wrong_inputs(plan))
    start = plan.open_inputs[0]
    edges = [(link.source.label, link.target.label) for link in plan.links]
    reached = downstream([start.label], edges)
    problems = [_loses_lineage(snap) for snap in plan.snaps if _breaks(snap, reached)]
    answers = [port for port in plan.open_outputs if port.label in reached]
    if not answers:
        problems.append(_no_answer(plan, start))
    problems += [
        _from_no_request(plan, port) for port in plan.open_outputs if port.label not in reached
    ]
    return problems


def _breaks(snap: PlannedSnap, reached: set[str]) -> bool:
    return snap.label in reached and bool(snap.facts.loses_lineage)


def _wrong_inputs(plan: Plan) -> Iterator[Problem]:
    wanted = "an ultra task needs exactly one open input, which gets the requests"
    if not plan.open_inputs:
        message = f"{wanted}, and every input of this pipeline is linked or starts by itself"
        hint = "begin with a snap that has no link at its input, such as a Filter or a Mapper"
        if plan.snaps:
            yield Problem("ultra-input", plan.snaps[0].where, message, hint)
        return
    names = _listed(plan.open_inputs)
    for port in plan.open_inputs[1:]:
        message = f"{wanted}; this pipeline has {len(plan.open_inputs)}: {names}"
        hint = f"link '{port}', or bring the branches together behind one open input"
        yield Problem("ultra-input", plan.snap(port.label).where, message, hint)


def _loses_lineage(snap: PlannedSnap) -> Problem:
    message = (
        f"'{snap.label}' ({snap.type}) cannot stand between a request and its answer: "
        f"it {snap.facts.loses_lineage.partition(';')[0]}"
    )
    advice = snap.facts.loses_lineage.partition(";")[2].strip()
    hint = advice or "an answer could not be told whose it is; run this part as a triggered task"
    return Problem("loses-lineage", snap.where, message, hint)


def _no_answer(plan: Plan, start: Port) -> Problem:
    message = f"no open output gives an answer to what comes in at '{start}'"
    hint = "leave an output of a snap that the requests reach without a link"
    return Problem("ultra-output", plan.snap(start.label).where, message, hint)


def _from_no_request(plan: Plan, port: Port) -> Problem:
    message = f"what leaves at the open output '{port}' comes from no request: nobody gets it"
    hint = "link it to a snap that the requests reach, or write it to a file"
    return Problem("ultra-output", plan.snap(port.label).where, message, hint)


def check_triggered(plan: Plan) -> list[Problem]:
    """Why it cannot be a triggered task: a request has one body, and so has its answer (5.2)."""
    problems = []
    if len(plan.open_inputs) > 1:
        ports = _listed(plan.open_inputs)
        message = f"a triggered task has at most one open input; here are: {ports}"
        where = plan.snap(plan.open_inputs[1].label).where
        hint = "link all but the one that takes the request's body"
        problems.append(Problem("several-open-inputs", where, message, hint))
    if len(plan.open_outputs) > 1:
        ports = _listed(plan.open_outputs)
        message = f"a triggered task has at most one open output; here are: {ports}"
        where = plan.snap(plan.open_outputs[1].label).where
        hint = "link all but the one that gives the answer"
        problems.append(Problem("several-open-outputs", where, message, hint))
    return problems


def check_scheduled(plan: Plan) -> list[Problem]:
    """Warn of documents that nobody gets: a scheduled run has no caller.

    What a snap gives that writes is only a receipt.
    """
    return [
        Problem(
            "unread-output",
            plan.snap(port.label).where,
            f"nobody gets what leaves at the open output '{port}' of a scheduled task",
            "link it to a snap that writes it",
            "warning",
        )
        for port in plan.open_outputs
        if not plan.snap(port.label).facts.writes
    ]


def _listed(ports: Sequence[Port]) -> str:
    return ", ".join(map(str, ports))
