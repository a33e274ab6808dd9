"""Send each binary stream to the outputs whose condition is true for its header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.sdk import (
    Batch,
    DataError,
    Example,
    Foreign,
    Header,
    Issue,
    Lineage,
    Snap,
    StreamEnd,
    StreamStart,
    View,
    Views,
    exact_decimals,
)
from snaps.flow.shared.routes import (
    STORED_ROUTES,
    RouterSettings,
    Routes,
    check_routes,
    conditions_of,
)


class BinaryRouter(Snap[RouterSettings]):
    since = "0.4.0"
    about = """
    Conditions see the fields of the header as `$name`. Everything else is as in Router. The bytes
    are passed on as they come, so a stream of any size needs no memory.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-binaryrouter",
        "Binary Router",
        version=2,
        settings=STORED_ROUTES,
        ignored=("persistence",),
    )
    views = Views(
        inputs=(View("input", "binary", unlinked="refused"),), outputs=(View("output", "binary"),)
    )
    plain = True
    changes_input = False
    passes_on = True
    examples = (
        Example(
            "texts go one way, everything else the other",
            settings={
                "routes": {"texts": "$['content-type'].startsWith('text/')", "rest": "true"},
                "first_match": True,
            },
            given=[
                StreamStart({"content-type": "text/plain"}),
                b"hello",
                StreamEnd(),
                StreamStart({"content-type": "image/png"}),
                b"\x89PNG",
                StreamEnd(),
            ],
            expect={
                "texts": [StreamStart({"content-type": "text/plain"}), b"hello", StreamEnd()],
                "rest": [StreamStart({"content-type": "image/png"}), b"\x89PNG", StreamEnd()],
            },
        ),
    )

    @classmethod
    def views_for(cls, settings: RouterSettings) -> Views:
        found = conditions_of(settings)
        outputs = tuple(View(name, "binary", condition=found[name]) for name in found)
        return Views(cls.views.inputs, outputs)

    @classmethod
    def check(cls, settings: RouterSettings) -> Iterable[Issue]:
        return check_routes(settings)

    def open(self) -> None:
        self._routes = Routes(self.settings, self.context)
        self._chosen: Sequence[str] = ()

    def process_batch(self, view: str, batch: Batch) -> Mapping[str, Batch]:
        places: dict[str, list[int]] = {output: [] for output in self.context.outputs}
        with exact_decimals():
            for place, piece in enumerate(batch.items):
                if piece.__class__ is StreamStart:
                    self._chosen = self._outputs_of(piece.header, batch.lineage_of(place))
                for output in self._chosen:
                    places[output].append(place)
        return {output: batch.at(chosen) for output, chosen in places.items() if chosen}

    def _outputs_of(self, header: Header, line: Lineage) -> Sequence[str]:
        if self._routes.in_turn:
            return [next(self._routes.turns)]
        try:
            outputs = self._routes.outputs_of(header)
        except DataError as error:
            self.context.failed(error, header, line)
            return ()
        if not outputs:
            self.context.dropped(1, (line,))
        return outputs
