"""Routes by condition: what routers of documents and of binary streams share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle

from engine.sdk import (
    Context,
    Document,
    Expression,
    Issue,
    Settings,
    Value,
    setting,
)
from snaps.shared.conditions import refuse_other_than_boolean


class RouteRow(Settings):
    condition: Expression | None = setting(
        default=None,
        help="When documents go there. Without a condition, never, unless no row has a condition.",
        example="$total >= 100",
    )
    output: str = setting(help="The output view; any name.", example="large")


class RouterSettings(Settings):
    routes: dict[str, Expression] | tuple[RouteRow, ...] = setting(
        help="Output view to condition, from top to bottom. As a list of rows "
        "`{condition, output}`, several rows may name one output. If no row has a condition, the "
        "outputs get the documents in turn.",
        example={"large": "$total >= 100", "rest": "true"},
    )
    first_match: bool = setting(
        default=False,
        help="Whether a document goes only to the first output whose condition is true; otherwise "
        "to all of them.",
    )
    null_safe_access: bool = setting(
        default=False, help="Read a missing path as null; otherwise it fails the document."
    )


STORED_ROUTES = {
    "routes": "routes",
    "routes[].expression": "routes[].condition",
    "routes[].outputViewName": "routes[].output",
    "firstMatch": "first_match",
}
"""The settings of SnapLogic's routers."""


class Routes:
    """Chooses outputs for documents, or for the headers of binary streams."""

    def __init__(self, settings: RouterSettings, context: Context) -> None:
        null_safe = settings.null_safe_access
        self._first_match = settings.first_match
        self._routes: list[tuple[str, str, Callable[[Document], Value]]] = [
            (output, condition.text, context.function(condition, null_safe=null_safe))
            for output, condition in rows_of(settings)
            if condition is not None
        ]
        self.turns: Iterator[str] = cycle(sorted(context.outputs))

    @property
    def in_turn(self) -> bool:
        """Whether there is no condition, so that the outputs take turns, in alphabetical order."""
        return not self._routes

    def outputs_of(self, document: Document) -> list[str]:
        """The outputs whose condition is true, each once. Raises DataError."""
        outputs: list[str] = []
        for output, text, holds in self._routes:
            verdict = holds(document)
            if verdict is True:
                if output not in outputs:
                    outputs.append(output)
                if self._first_match:
                    break
            elif verdict is not False:
                refuse_other_than_boolean(f"the condition {text!r} of {output!r}", verdict)
        return outputs


def conditions_of(settings: RouterSettings) -> dict[str, str]:
    """The outputs that rows name, each with the conditions of its rows, for people."""
    conditions: dict[str, list[str]] = {}
    for output, condition in rows_of(settings):
        conditions.setdefault(output, []).extend([condition.text] if condition else [])
    return {output: " || ".join(texts) for output, texts in conditions.items()}


def rows_of(settings: RouterSettings) -> list[tuple[str, Expression | None]]:
    """The routes as (output, condition)."""
    if isinstance(settings.routes, dict):
        return list(settings.routes.items())
    return [(row.output, row.condition) for row in settings.routes]


def check_routes(settings: RouterSettings) -> Iterator[Issue]:
    if not settings.routes:
        yield Issue(("routes",), "there are no routes", "write output: condition")
    for place, (output, _) in enumerate(rows_of(settings)):
        key = output if isinstance(settings.routes, dict) else place
        yield from check_view_name(output, ("routes", key))
    yield from _routes_without_condition(settings)


def _routes_without_condition(settings: RouterSettings) -> Iterator[Issue]:
    """Rows that no document takes, because only other rows have a condition."""
    rows = rows_of(settings)
    if not any(condition for _, condition in rows):
        return
    for place, (output, condition) in enumerate(rows):
        if condition is None:
            message = f"no document goes to {output!r}: its row has no condition"
            hint = (
                "for all other documents: condition: 'true', as the last row, and first_match: true"
            )
            if settings.first_match:
                hint = "for all other documents: condition: 'true'"
            if not settings.first_match:
                hint += ", as the last row, and first_match: true"
            path = ("routes", place, "output")
            yield Issue(path, message, hint, code="unclear-setting", severity="warning")


def check_view_name(name: str, path: tuple[str | int, ...]) -> Iterable[Issue]:
    if not name.strip() or "." in name or "->" in name:
        hint = "use printable characters, without '.' and '->'"
        yield Issue(path, f"{name!r} is not a valid name of a view", hint)
