"""Send each request document to the output for its HTTP method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    Lineage,
    ReadPaths,
    Settings,
    Snap,
    View,
    Views,
    excerpt,
    setting,
)
from snaps.flow.shared.routes import check_view_name

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class HTTPRouterSettings(Settings):
    routes: dict[str, str] = setting(
        help="HTTP method to output view. Several methods may share an output.",
        example={"GET": "read", "POST": "create"},
    )


class HTTPRouter(Snap[HTTPRouterSettings]):
    since = "0.4.0"
    about = """
    It reads the field `method` of the request document of a task. A document whose method has no
    route ends here.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-httprouter",
        "HTTP Router",
        version=1,
        settings={
            "routes[].requestMethod": "routes[].key",
            "routes[].outputViewName": "routes[].value",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    passes_on = True
    examples = (
        Example(
            "reading and writing",
            settings={"routes": {"GET": "read", "POST": "write", "PUT": "write"}},
            given=[{"method": "GET"}, {"method": "PUT", "content": {"id": 1}}],
            expect={
                "read": [{"method": "GET"}],
                "write": [{"method": "PUT", "content": {"id": 1}}],
            },
        ),
    )

    @classmethod
    def views_for(cls, settings: HTTPRouterSettings) -> Views:
        methods: dict[str, list[str]] = {}
        for method, output in settings.routes.items():
            methods.setdefault(output, []).append(method)
        views = (View(name, condition=" or ".join(each)) for name, each in methods.items())
        return Views(outputs=tuple(views))

    @classmethod
    def check(cls, settings: HTTPRouterSettings) -> Iterable[Issue]:
        if not settings.routes:
            yield Issue(("routes",), "there are no routes", "write method: output")
        for method, output in settings.routes.items():
            path = ("routes", method)
            if method.strip().upper() not in METHODS:
                hint = f"the methods are: {', '.join(METHODS)}"
                yield Issue(path, f"{method!r} is not an HTTP method", hint, at_key=True)
            yield from check_view_name(output, path)

    @classmethod
    def reads(cls, settings: HTTPRouterSettings) -> ReadPaths:
        return frozenset({("method",)})

    def open(self) -> None:
        routes = self.settings.routes
        self._outputs = {method.strip().upper(): output for method, output in routes.items()}

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        dropped: list[Lineage] = []
        for place, document in enumerate(batch.items):
            try:
                output = self._outputs.get(_method_of(document))
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(place))
                continue
            if output is None:
                dropped.append(batch.lineage_of(place))
            else:
                places[output].append(place)
        if dropped:
            self.context.dropped(len(dropped), dropped)
        return {output: batch.at(chosen) for output, chosen in places.items() if chosen}


def _method_of(document: Document) -> str:
    method = document.get("method")
    if isinstance(method, str):
        return method.upper()
    raise DataError(
        "the document has no HTTP method",
        f"its field `method` is {excerpt(method)}" if method is not None else "`method` is missing",
        "put HTTPRouter first in the pipeline of a task, or set $method with a Mapper",
    )
