"""Send each document to the outputs whose condition is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat

from engine.sdk import (
    NO_LINEAGE,
    Batch,
    DataError,
    Example,
    Foreign,
    Issue,
    Lineage,
    Parallel,
    ReadPaths,
    Snap,
    View,
    Views,
    exact_decimals,
    paths_read,
)
from snaps.flow.shared.routes import (
    STORED_ROUTES,
    RouterSettings,
    Routes,
    check_routes,
    conditions_of,
    rows_of,
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
        settings=STORED_ROUTES,
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
        found = conditions_of(settings)
        return Views(outputs=tuple(View(name, condition=found[name]) for name in found))

    @classmethod
    def check(cls, settings: RouterSettings) -> Iterable[Issue]:
        return check_routes(settings)

    @classmethod
    def parallel_for(cls, settings: RouterSettings) -> Parallel:
        """Without conditions, the outputs take turns, which takes one who counts."""
        has_conditions = any(condition is not None for _, condition in rows_of(settings))
        return "" if has_conditions else "one"

    @classmethod
    def reads(cls, settings: RouterSettings) -> ReadPaths | None:
        return paths_read(condition for _, condition in rows_of(settings) if condition)

    def open(self) -> None:
        self._routes = Routes(self.settings, self.context)

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        if self._routes.in_turn:
            return self._in_turn(batch)
        with exact_decimals():
            return self._routed(batch)

    def _routed(self, batch: Batch) -> Mapping[str, Batch]:
        outputs_of = self._routes.outputs_of
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        dropped: list[Lineage] = []
        lineage = batch.lineage or repeat(NO_LINEAGE)
        for place, (document, line) in enumerate(zip(batch.items, lineage, strict=False)):
            try:
                outputs = outputs_of(document)
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

    def _in_turn(self, batch: Batch) -> Mapping[str, Batch]:
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        for place in range(len(batch.items)):
            places[next(self._routes.turns)].append(place)
        return {output: batch.at(chosen) for output, chosen in places.items() if chosen}
