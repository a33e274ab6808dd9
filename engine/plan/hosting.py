"""Whether a plan can be hosted: requests must have a way in, and responses a way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.errors import Problem
from engine.plan.graph import downstream
from engine.plan.plan import Plan, PlannedSnap, Port


def check_ultra(plan: Plan) -> list[Problem]:
    """All reasons why this pipeline could not answer requests (reference, section 5.3)."""
    if len(plan.open_inputs) != 1:
        return list(_wrong_inputs(plan))
    start = plan.open_inputs[0]
    edges = [(link.source.label, link.target.label) for link in plan.links]
    reached = downstream([start.label], edges)
    problems = [_loses_lineage(snap) for snap in plan.snaps if _breaks(snap, reached)]
    problems += [
        _never_ends(plan, link.target)
        for link in plan.links
        if link.source.label in reached and link.target in _read_first(plan)
    ]
    answers = [port for port in plan.open_outputs if port.label in reached]
    if not answers:
        problems.append(_no_answer(plan, start))
    problems += [
        _from_no_request(plan, port) for port in plan.open_outputs if port.label not in reached
    ]
    return problems


def check_stream(plan: Plan) -> list[Problem]:
    """Why its responses cannot be streamed, which goes document by document."""
    return [
        Problem(
            "task-type",
            plan.snap(port.label).where,
            f"'{port}' gives a binary stream, but 'response: stream' sends documents",
            "leave 'response' out of the task file, or let the pipeline give documents",
        )
        for port in plan.open_outputs
        if plan.gives_binary(port)
    ]


def _breaks(snap: PlannedSnap, reached: set[str]) -> bool:
    return snap.label in reached and bool(snap.facts.loses_lineage)


def _read_first(plan: Plan) -> set[Port]:
    return {
        Port(snap.label, view.name)
        for snap in plan.snaps
        for view in snap.inputs
        if view.read_first
    }


def _never_ends(plan: Plan, port: Port) -> Problem:
    snap = plan.snap(port.label)
    message = (
        f"'{port.label}' ({snap.type}) reads its input '{port.view}' to the end before any other, "
        "but requests arrive there, and they never end"
    )
    hint = "link requests to its other input, and feed this one from a file or a generator"
    return Problem("loses-lineage", snap.where, message, hint)


def _wrong_inputs(plan: Plan) -> Iterator[Problem]:
    wanted = "an ultra task needs exactly one open input, for the requests"
    if not plan.open_inputs:
        message = f"{wanted}, but every input of this pipeline is linked or starts on its own"
        hint = (
            "start with a snap whose input is not linked, such as a Filter or a Mapper; or host it "
            "as a triggered task, which runs it once for each call: "
            "'type: triggered' in a task file"
        )
        if plan.snaps:
            yield Problem("ultra-input", plan.snaps[0].where, message, hint)
        return
    names = _listed(plan.open_inputs)
    for port in plan.open_inputs[1:]:
        message = f"{wanted}; this pipeline has {len(plan.open_inputs)}: {names}"
        hint = f"link '{port}', or merge the branches behind one open input"
        yield Problem("ultra-input", plan.snap(port.label).where, message, hint)


def _loses_lineage(snap: PlannedSnap) -> Problem:
    message = (
        f"'{snap.label}' ({snap.type}) cannot be used between a request and its response: "
        f"it {snap.facts.loses_lineage.partition(';')[0]}"
    )
    advice = snap.facts.loses_lineage.partition(";")[2].strip()
    hint = (
        advice
        or "a response could not be matched to its request; run this part as a triggered task"
    )
    return Problem("loses-lineage", snap.where, message, hint)


def _no_answer(plan: Plan, start: Port) -> Problem:
    message = f"no open output returns a response to what enters at '{start}'"
    hint = "leave an output unlinked on a snap that the requests reach"
    return Problem("ultra-output", plan.snap(start.label).where, message, hint)


def _from_no_request(plan: Plan, port: Port) -> Problem:
    message = (
        f"the documents at the open output '{port}' do not come from a request, "
        "so nobody receives them"
    )
    hint = "link it to a snap that the requests reach, or write it to a file"
    return Problem("ultra-output", plan.snap(port.label).where, message, hint)


def check_triggered(plan: Plan) -> list[Problem]:
    """Why it cannot be a triggered task: request and response have one body each (5.2)."""
    problems = []
    if len(plan.open_inputs) > 1:
        ports = _listed(plan.open_inputs)
        message = f"a triggered task can have at most one open input; this pipeline has: {ports}"
        where = plan.snap(plan.open_inputs[1].label).where
        hint = "link all but the one that takes the request's body"
        problems.append(Problem("several-open-inputs", where, message, hint))
    if len(plan.open_outputs) > 1:
        ports = _listed(plan.open_outputs)
        message = f"a triggered task can have at most one open output; this pipeline has: {ports}"
        where = plan.snap(plan.open_outputs[1].label).where
        hint = "link all but the one that returns the response"
        problems.append(Problem("several-open-outputs", where, message, hint))
    return problems


def check_scheduled(plan: Plan) -> list[Problem]:
    """Warn of documents that nobody receives: a scheduled run has no caller.

    The output of a snap that writes is only a receipt.
    """
    return [
        Problem(
            "unread-output",
            plan.snap(port.label).where,
            f"nobody receives the documents at the open output '{port}' of a scheduled task",
            "link it to a snap that writes it",
            "warning",
        )
        for port in plan.open_outputs
        if not plan.snap(port.label).facts.writes
    ]


def _listed(ports: Sequence[Port]) -> str:
    return ", ".join(map(str, ports))
