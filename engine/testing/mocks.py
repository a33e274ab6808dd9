"""Mocks: snaps of a pipeline replaced by what a test says they put out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from engine.documents import Batch, Document, Item, StreamStart, ViewType
from engine.errors import ConfigurationError
from engine.pipeline.spec import PipelineSpec, SnapSpec
from engine.registry import Registry, SnapClass
from engine.sdk.results import Emission, Result, To
from engine.sdk.settings import NoSettings
from engine.sdk.snap import Snap
from engine.sdk.views import ERROR_VIEW, View, Views

Mock = Sequence[Item] | Mapping[str, Sequence[Item]] | Callable[[Document], Result]
"""The items of the first output; those of each output by view; or a function of each document."""


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
    by_view: Mapping[str, Sequence[Item]] = {}
    if isinstance(mock, Mapping):
        wrong = [view for view, items in mock.items() if not isinstance(items, list | tuple)]
        if wrong:
            raise ConfigurationError(
                f"the mock of {snap.label!r} is a map, so it must have a list for each output "
                f"view, but {wrong[0]!r} has none; put a single document in a list: [{{...}}]"
            )
        by_view = mock
    elif not callable(mock):
        by_view = {"": mock}
    outputs = [
        link.source.view
        for link in spec.links
        if link.source.label == snap.label and link.source.view != ERROR_VIEW.name
    ]
    first = next((view for view in (*by_view, *outputs) if view), "output")
    items = {view or first: list(given) for view, given in by_view.items()}
    names = dict.fromkeys([first, *items, *filter(None, outputs)])
    views = Views(
        inputs=(View("input", _input_type(snap, registry), many=True, named=True),),
        outputs=tuple(View(view, _type_of(items.get(view, ()))) for view in names),
    )
    base = _Function if callable(mock) else _Items
    facts: dict[str, Any] = {"views": views, "items": items}
    if callable(mock):
        facts["function"] = staticmethod(mock)
    return type(name, (base,), facts)


def _input_type(snap: SnapSpec, registry: Registry) -> ViewType:
    """What the inputs of the snap take, as far as its class or an import from SnapLogic tells."""
    declared = snap.settings.get("inputs")
    if isinstance(declared, Mapping):
        return "binary" if "binary" in declared.values() else "document"
    inputs = registry[snap.type].views.inputs if snap.type in registry else ()
    return inputs[0].type if inputs else "document"


def _type_of(items: Sequence[Item]) -> ViewType:
    return "binary" if items and isinstance(items[0], StreamStart) else "document"


class _Items(Snap[NoSettings]):
    """Puts out the given items, whatever it gets."""

    items: Mapping[str, Sequence[Item]] = {}

    def start(self) -> Iterable[Item | To]:
        return [To(view, item) for view, items in self.items.items() for item in items]

    def process_batch(self, view: str, batch: Batch) -> Emission:
        self.context.dropped(len(batch.items))
        return ()


class _Function(Snap[NoSettings]):
    """Puts out what a function returns for each document."""

    function: Callable[[Document], Result]

    def process(self, document: Document) -> Result:
        return type(self).function(document)
