"""Run one snap as the runtime does - same host, same context, same error handling - but alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.documents import Batch, Document, Item, StreamStart
from engine.errors import ConfigurationError
from engine.locations import Location
from engine.pipeline.spec import OnError, ParameterSpec
from engine.plan import facts_of
from engine.plan.plan import Plan, PlannedLink, PlannedSnap, Port, Stage
from engine.plan.routes import routes_of
from engine.registry import Registry, SnapClass, discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.report import SnapStatistics
from engine.run.services import Services
from engine.script.executor import Executor
from engine.sdk.http import HttpClient
from engine.sdk.scripts import ScriptExecutor
from engine.sdk.settings import Settings, convert
from engine.sdk.snap import BATCH_SIZE
from engine.sdk.views import View

LABEL = "snap"


@dataclass(slots=True)
class SnapRun:
    """What a snap made of its input: items by view, its accounts, the lines that it showed."""

    outputs: dict[str, list[Any]]
    statistics: SnapStatistics
    shown: list[str] = field(default_factory=list)
    default_view: str = "output"

    @property
    def output(self) -> list[Any]:
        """The items of the first output view."""
        return self.outputs.get(self.default_view, [])

    @property
    def errors(self) -> list[Any]:
        """The error documents, with `on_error="route"`."""
        return self.outputs.get("error", [])

    @property
    def dropped(self) -> int:
        return self.statistics.dropped


def run_snap(
    snap: str | SnapClass,
    settings: Mapping[str, Any] | None = None,
    given: Sequence[Item] | Mapping[str, Sequence[Item]] | None = None,
    *,
    on_error: OnError = "stop",
    parameters: Mapping[str, str] | None = None,
    outputs: Sequence[str] | None = None,
    project: str | Path = ".",
    scripts: ScriptExecutor | None = None,
    http: HttpClient | None = None,
    timezone: str = "UTC",
) -> SnapRun:
    """Run a snap, by class or by name, on some items.

    `given` is a list for the first input view, or a map of view to list; None leaves the inputs
    unlinked, as in a pipeline. `outputs` are the output views that count as linked (default: all).
    `http` takes the place of the client that sends requests (see CannedHttp). Raises
    ConfigurationError for wrong settings and SnapFailedError where a pipeline would stop.
    """
    snap_class = _found(snap) if isinstance(snap, str) else snap
    converted = _settings(snap_class, settings or {})
    views = snap_class.views_for(converted)
    fed = _fed(views.inputs, given)
    for name, items in fed.items():
        _check_items(name, _view(views.inputs, name), items)
    planned = PlannedSnap(
        label=LABEL,
        type=snap_class.__name__,
        settings=converted,
        on_error=on_error,
        mode="validate_and_execute",
        inputs=tuple(View(name, _view(views.inputs, name).type) for name in fed),
        outputs=tuple(_expanded(views.outputs, outputs)),
        facts=facts_of(snap_class, converted),
        where=Location("test"),
    )
    plan = _plan(planned, parameters or {}, Path(project).resolve(), linked=given is not None)
    shown: list[str] = []
    identity = identify(plan, parameters or {}, timezone=timezone)
    services = Services(plan, scripts or Executor(), lambda _, text: shown.append(text), http)
    execution = Execution(plan, identity, services)
    return _run(execution, snap_class, fed, shown)


def _run(
    execution: Execution,
    snap_class: SnapClass,
    fed: Mapping[str, Sequence[Item]],
    shown: list[str],
) -> SnapRun:
    plan = execution.plan
    registry = Registry({snap_class.__name__: snap_class})
    host = StageHost(plan.stages[0], registry, execution)
    outputs = plan.snaps[0].outputs
    result = SnapRun({}, host.statistics[0], shown, outputs[0].name if outputs else "")
    try:
        host.open()
        _collect(result, host.start())
        for view, items in fed.items():
            for start in range(0, len(items), BATCH_SIZE):
                _collect(result, host.process(view, Batch(list(items[start : start + BATCH_SIZE]))))
        _collect(result, host.finish())
    finally:
        host.close()
        execution.services.close()
    return result


def _collect(result: SnapRun, outputs: Any) -> None:
    for port, batch in outputs:
        result.outputs.setdefault(port.view, []).extend(batch.items)


def _found(name: str) -> SnapClass:
    registry = discover()
    if name not in registry:
        raise ConfigurationError("; ".join(registry.explain_unknown(name)))
    return registry[name]


def _check_items(name: str, view: View, items: Sequence[Item]) -> None:
    """A test that gives what a link could not carry would test nothing."""
    if view.type == "document":
        for item in items:
            if not isinstance(item, dict):
                raise ConfigurationError(f"the view {name!r} takes documents, not {item!r}")
    elif items and not isinstance(items[0], StreamStart):
        raise ConfigurationError(
            f"the view {name!r} takes binary streams: give StreamStart(), bytes, StreamEnd()"
        )


def _settings(snap_class: SnapClass, values: Mapping[str, Any]) -> Settings:
    converted, issues = convert(snap_class.settings_class, values)
    messages = [issue.message for issue in issues]
    if converted is not None:
        messages += [
            issue.message for issue in snap_class.check(converted) if issue.severity == "error"
        ]
    if messages or converted is None:
        raise ConfigurationError("\n".join(messages))
    return converted


def _fed(
    inputs: tuple[View, ...], given: Sequence[Item] | Mapping[str, Sequence[Item]] | None
) -> dict[str, Sequence[Item]]:
    """The items by input view, views that are read whole first."""
    if isinstance(given, Mapping):
        whole = {view.name for view in inputs if view.whole}
        return dict(sorted(given.items(), key=lambda entry: entry[0] not in whole))
    if given is not None:
        return {_first_name(inputs[0]): given}
    empty: Document = {}
    return {view.name: [empty] for view in inputs if view.unlinked != "nothing"}


def _expanded(outputs: tuple[View, ...], linked: Sequence[str] | None) -> list[View]:
    if linked is not None:
        return [View(name, _view(outputs, name).type) for name in linked]
    return [View(_first_name(view), view.type) for view in outputs]


def _view(views: tuple[View, ...], name: str) -> View:
    """The declared view of that name, or the family that it belongs to."""
    for view in views:
        if view.name == name or (view.many and name.removeprefix(view.name).isdigit()):
            return view
    known = ", ".join(view.name for view in views) or "none"
    raise ConfigurationError(f"there is no view {name!r}; the views are: {known}")


def _first_name(view: View) -> str:
    return f"{view.name}0" if view.many else view.name


def _plan(snap: PlannedSnap, parameters: Mapping[str, str], project: Path, *, linked: bool) -> Plan:
    """A pipeline of this snap alone, its views linked to the test."""
    inputs = snap.inputs if linked else ()
    links = [PlannedLink(Port("test", "output"), Port(LABEL, view.name)) for view in inputs]
    links += [PlannedLink(Port(LABEL, view.name), Port("test", "input")) for view in snap.outputs]
    stages = (Stage((LABEL,)),)
    return Plan(
        name="test",
        path=str(project / "test.yaml"),
        folder=str(project),
        project=str(project),
        parameters=tuple(ParameterSpec(name, Location("test")) for name in parameters),
        libraries=(),
        snaps=(snap,),
        links=tuple(links),
        stages=stages,
        open_inputs=(),
        open_outputs=(),
        starting_inputs=(),
        routes=routes_of((snap,), links, stages, (), ()),
    )
