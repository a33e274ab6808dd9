"""Mocks: snaps of a pipeline replaced by what a test says they put out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from engine.documents import NO_LINEAGE, Batch, Document, Item, StreamStart, ViewType
from engine.errors import ConfigurationError, ExecutionError
from engine.pipeline.spec import PipelineSpec, SnapSpec
from engine.plan.views import declared_view
from engine.registry import Registry, SnapClass
from engine.run.context import SnapContext
from engine.sdk.conversion import convert
from engine.sdk.results import Emission, Result, To
from engine.sdk.settings import NoSettings
from engine.sdk.snap import Snap
from engine.sdk.views import ERROR_VIEW, View, Views

Mock = Sequence[Item] | Mapping[str, Sequence[Item]] | Callable[[Document], Result] | ExecutionError
"""The items of the first output; those of each view, error documents under `error`; a function of
each document; or the error with which the snap fails when it starts."""


def with_mocks(
    spec: PipelineSpec, registry: Registry, mocks: Mapping[str, Mock]
) -> tuple[PipelineSpec, Registry]:
    """The pipeline with mocks in place of snaps, and a registry that has them.

    Raises ConfigurationError if the pipeline has no snap of that label.
    """
    snaps, classes = dict(spec.snaps), {}
    for number, (label, mock) in enumerate(mocks.items()):
        if label not in snaps:
            known = ", ".join(snaps) or "none"
            raise ConfigurationError(f"there is no snap {label!r} to mock; the snaps are: {known}")
        name = f"Mock{number}"
        classes[name] = _class_of(name, spec, snaps[label], registry, mock)
        snaps[label] = msgspec.structs.replace(snaps[label], type=name, settings={}, unsupported={})
    mocked = msgspec.structs.replace(spec, snaps=snaps)
    return mocked, Registry({**_loaded(spec, registry), **classes}, registry.files)


def _loaded(spec: PipelineSpec, registry: Registry) -> dict[str, SnapClass]:
    types = {snap.type for snap in spec.snaps.values()}
    return {name: registry[name] for name in types if name in registry}


def _class_of(
    name: str, spec: PipelineSpec, snap: SnapSpec, registry: Registry, mock: Mock
) -> SnapClass:
    by_view: dict[str, Sequence[Item]] = {}
    if isinstance(mock, Mapping):
        wrong = [view for view, items in mock.items() if not isinstance(items, list | tuple)]
        if wrong:
            raise ConfigurationError(
                f"the mock of {snap.label!r} is a map, so it must have a list for each output "
                f"view, but {wrong[0]!r} has none; put a single document in a list: [{{...}}]"
            )
        by_view.update(mock)
    elif isinstance(mock, Sequence):
        by_view[""] = mock
    errors = by_view.pop(ERROR_VIEW.name, ())
    declared = views_of(snap, registry)
    outputs = _linked_outputs(spec, snap) if declared is None else _members(declared.outputs)
    first = next((view for view in (*outputs, *by_view) if view), "output")
    items = {view or first: list(given) for view, given in by_view.items()}
    views = Views(
        inputs=_inputs(snap, registry) if declared is None else declared.inputs,
        outputs=tuple(_outputs(spec, snap, registry, declared, items)),
    )
    base = _Function if callable(mock) else _Items
    facts: dict[str, Any] = {"views": views, "items": items, "errors": list(errors)}
    if callable(mock):
        facts["function"] = staticmethod(mock)
    elif isinstance(mock, ExecutionError):
        facts["failure"] = mock
    return type(name, (base,), facts)


def output_type(spec: PipelineSpec, registry: Registry, label: str, name: str) -> ViewType:
    """What an output view of a snap carries, as far as its class or what is linked to it tells.

    An empty name is that of the first view.
    """
    view = declared_output(spec, registry, label, name)
    if view is not None:
        return view.type
    for link in spec.links:
        if link.source.label == label and link.source.view in (name, ""):
            target = spec.snaps.get(link.target.label)
            return "document" if target is None else _input_type(target, registry)
    return "document"


def declared_output(spec: PipelineSpec, registry: Registry, label: str, name: str) -> View | None:
    """The output view of that name, if its class is known and has one."""
    views = views_of(spec.snaps[label], registry)
    if views is None or not views.outputs:
        return None
    return declared_view(views.outputs, name) if name else views.outputs[0]


def views_of(snap: SnapSpec, registry: Registry) -> Views | None:
    """The views of a snap with its settings, as far as these are right; None if it is unknown."""
    if snap.type not in registry:
        return None
    snap_class = registry[snap.type]
    settings, _ = convert(snap_class.settings_class, snap.settings)
    return snap_class.views if settings is None else snap_class.views_for(settings)


def _inputs(snap: SnapSpec, registry: Registry) -> tuple[View, ...]:
    """Any views that links name."""
    return (View("input", _input_type(snap, registry), many=True, named=True),)


def _outputs(
    spec: PipelineSpec,
    snap: SnapSpec,
    registry: Registry,
    declared: Views | None,
    items: Mapping[str, Sequence[Item]],
) -> Iterator[View]:
    """The views of the snap, as far as they are known, and those that have items.

    What a view carries is what its items are.
    """
    known = () if declared is None else declared.outputs
    for view in known:
        given = next((given for name, given in items.items() if declared_view([view], name)), ())
        yield msgspec.structs.replace(view, type=_type_of(given) or view.type)
    linked = _linked_outputs(spec, snap) if declared is None else ()
    default = () if items or declared is not None else ("output",)
    for name in dict.fromkeys((*default, *items, *filter(None, linked))):
        given = items.get(name, ())
        if not declared_view(known, name) and (given or declared is None):
            kind = _type_of(given) or output_type(spec, registry, snap.label, name)
            yield View(name, kind)


def _linked_outputs(spec: PipelineSpec, snap: SnapSpec) -> list[str]:
    """The views, apart from the error view, at which links start; empty for the first one."""
    views = [link.source.view for link in spec.links if link.source.label == snap.label]
    return [view for view in views if view != ERROR_VIEW.name]


def _members(views: Sequence[View]) -> list[str]:
    """The names of views; of a family, its first member."""
    return [f"{view.name}0" if view.many else view.name for view in views]


def _input_type(snap: SnapSpec, registry: Registry) -> ViewType:
    """What the inputs of the snap take, as far as its class or an import from SnapLogic tells."""
    declared = snap.settings.get("inputs")
    if isinstance(declared, Mapping):
        return "binary" if "binary" in declared.values() else "document"
    inputs = registry[snap.type].views.inputs if snap.type in registry else ()
    return inputs[0].type if inputs else "document"


def _type_of(items: Sequence[Item] | None) -> ViewType | None:
    """What items are, unless there are none."""
    if not items:
        return None
    return "binary" if isinstance(items[0], StreamStart) else "document"


class _Items(Snap[NoSettings]):
    """Puts out the given items, whatever it gets."""

    items: Mapping[str, Sequence[Item]] = {}
    errors: Sequence[Document] = ()
    failure: ExecutionError | None = None

    def start(self) -> Iterable[Item | To]:
        if self.failure is not None:
            raise self.failure
        if self.errors:
            assert isinstance(self.context, SnapContext)  # a mock runs in a pipeline
            self.context.statistics.errors += len(self.errors)
            self.context.error_documents += self.errors
            self.context.error_lineage += [NO_LINEAGE] * len(self.errors)
        return [To(view, item) for view, items in self.items.items() for item in items]

    def process_batch(self, view: str, batch: Batch) -> Emission:
        self.context.dropped(len(batch.items))
        return ()


class _Function(Snap[NoSettings]):
    """Puts out what a function returns for each document."""

    function: Callable[[Document], Result]

    def process(self, document: Document) -> Result:
        return type(self).function(document)
