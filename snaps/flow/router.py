"""Send each document to the outputs whose condition is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import cycle, repeat
from typing import Any

from engine.sdk import (
    NO_LINEAGE,
    Batch,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Issue,
    Lineage,
    ReadPaths,
    Settings,
    Snap,
    View,
    Views,
    exact_decimals,
    paths_read,
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


class Router(Snap[RouterSettings]):
    since = "0.4.0"
    about = """
    Its output views are those that `routes` name: `router.large -> write`. A condition must be
    `true` or `false`; any other value stops the pipeline. A document for which no condition is
    true ends here. Outputs that get the same document share it.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-router",
        "Router",
        version=2,
        settings={
            "routes": "routes",
            "routes[].expression": "routes[].condition",
            "routes[].outputViewName": "routes[].output",
            "firstMatch": "first_match",
        },
        ignored=("persistence",),
    )
    stateful = False
    plain = True
    changes_input = False
    passes_on = True
    examples = (
        Example(
            "each document goes to one of two outputs",
            settings={"routes": {"large": "$n >= 10", "small": "true"}, "first_match": True},
            given=[{"n": 3}, {"n": 12}],
            expect={"large": [{"n": 12}], "small": [{"n": 3}]},
        ),
        Example(
            "a document goes to every output whose condition is true",
            settings={"routes": {"even": "$n % 2 == 0", "large": "$n >= 10"}},
            given=[{"n": 12}, {"n": 3}],
            expect={"even": [{"n": 12}], "large": [{"n": 12}]},
        ),
    )

    @classmethod
    def views_for(cls, settings: RouterSettings) -> Views:
        names = dict.fromkeys(output for output, _ in rows_of(settings))
        return Views(outputs=tuple(map(View, names)))

    @classmethod
    def check(cls, settings: RouterSettings) -> Iterable[Issue]:
        if not settings.routes:
            yield Issue(("routes",), "there are no routes", "write output: condition")
        for place, (output, _) in enumerate(rows_of(settings)):
            if not output.strip() or "." in output or "->" in output:
                path = ("routes", output if isinstance(settings.routes, dict) else place)
                hint = "use printable characters, without '.' and '->'"
                yield Issue(path, f"{output!r} is not a valid name of a view", hint)

    @classmethod
    def reads(cls, settings: RouterSettings) -> ReadPaths | None:
        return paths_read(condition for _, condition in rows_of(settings) if condition)

    def open(self) -> None:
        null_safe = self.settings.null_safe_access
        self._routes: list[tuple[str, str, Callable[[Document], Any]]] = [
            (output, condition.text, self.context.function(condition, null_safe=null_safe))
            for output, condition in rows_of(self.settings)
            if condition is not None
        ]
        self._turns = cycle(sorted(self.context.outputs))

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        if not self._routes:
            return self._in_turn(batch)
        with exact_decimals():
            return self._routed(batch)

    def _routed(self, batch: Batch) -> Mapping[str, Batch]:
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        dropped: list[Lineage] = []
        lineage = batch.lineage or repeat(NO_LINEAGE)
        for place, (document, line) in enumerate(zip(batch.items, lineage, strict=False)):
            try:
                outputs = self._outputs_of(document)
            except DataError as error:
                self.context.failed(error, document, line)
                continue
            for output in outputs:
                places[output].append(place)
            if not outputs:
                dropped.append(line)
        if dropped:
            self.context.dropped(len(dropped), dropped)
        return {output: batch.at(chosen) for output, chosen in places.items() if chosen}

    def _outputs_of(self, document: Document) -> list[str]:
        """The outputs for a document, each once."""
        outputs: list[str] = []
        for output, text, holds in self._routes:
            verdict = holds(document)
            if verdict is True:
                if output not in outputs:
                    outputs.append(output)
                if self.settings.first_match:
                    break
            elif verdict is not False:
                refuse_other_than_boolean(f"the condition {text!r} of {output!r}", verdict)
        return outputs

    def _in_turn(self, batch: Batch) -> Mapping[str, Batch]:
        """The outputs take turns, in alphabetical order."""
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        for place in range(len(batch.items)):
            places[next(self._turns)].append(place)
        return {output: batch.at(chosen) for output, chosen in places.items() if chosen}


def rows_of(settings: RouterSettings) -> list[tuple[str, Expression | None]]:
    """The routes as (output, condition)."""
    if isinstance(settings.routes, dict):
        return list(settings.routes.items())
    return [(row.output, row.condition) for row in settings.routes]
