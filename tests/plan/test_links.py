"""How links resolve to views, and the problems of links that do not."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from engine.pipeline import parse
from engine.plan import Plan, check_spec, compile_spec
from engine.registry import Registry
from engine.sdk import Document, Issue, Settings, Snap, View, Views


class NoSettings(Settings):
    pass


class Source(Snap[NoSettings]):
    views = Views(inputs=())


class Pass(Snap[NoSettings]):
    def process(self, document: Document) -> Document:
        return document


class Sink(Pass):
    views = Views(inputs=(View("input", unlinked="refused"),), outputs=())


class Gather(Pass):
    views = Views(inputs=(View("input", many=True, minimum=1, unlinked="refused"),))


class Meet(Pass):
    views = Views(
        inputs=(View("input", many=True, named=True, minimum=2, read_first="all but the first"),)
    )

    @classmethod
    def check_inputs(cls, settings: NoSettings, inputs: Sequence[str]) -> Iterable[Issue]:
        if "orders" not in inputs:
            yield Issue((), f"no orders among {', '.join(inputs)}")


class Spread(Pass):
    views = Views(outputs=(View("output", many=True, minimum=2),))


class Script(Pass):
    views = Views(
        inputs=(View("input"), View("script", unlinked="refused", optional=True)),
        outputs=(View("output"), View("stdout", optional=True)),
    )


class Parser(Pass):
    views = Views(inputs=(View("input", "binary"),))


REGISTRY = Registry(
    {snap.__name__: snap for snap in (Source, Pass, Sink, Gather, Meet, Spread, Script, Parser)}
)


def pipeline(snaps: str, *links: str) -> str:
    """`a:Pass b:Sink` and link texts as a pipeline file."""
    lines = ["snaps:"]
    for each in snaps.split():
        label, kind, *more = each.split(":")
        lines.append(
            f"  {label}: {{snap: {kind}{''.join(f', on_error: {word}' for word in more)}}}"
        )
    return "\n".join([*lines, "links:", *(f"  - {link}" for link in links)])


def plan(snaps: str, *links: str) -> Plan:
    return compile_spec(parse(pipeline(snaps, *links)), REGISTRY)


def codes(snaps: str, *links: str) -> list[str]:
    return [problem.code for problem in check_spec(parse(pipeline(snaps, *links)), REGISTRY)]


def problems(snaps: str, *links: str) -> list[str]:
    text = pipeline(snaps, *links)
    return [problem.message for problem in check_spec(parse(text), REGISTRY)]


def linked(made: Plan) -> list[tuple[str, str]]:
    return [(str(link.source), str(link.target)) for link in made.links]


def names(made: Plan, label: str) -> tuple[list[str], list[str]]:
    snap = made.snap(label)
    return [view.name for view in snap.inputs], [view.name for view in snap.outputs]


def test_a_link_without_views_joins_the_first_ones() -> None:
    made = plan("a:Source b:Script c:Sink", "a -> b -> c")
    assert linked(made) == [("a.output", "b.input"), ("b.output", "c.input")]


def test_a_family_assigns_free_names_in_the_order_of_links() -> None:
    made = plan(
        "a:Source s:Spread x:Pass y:Pass z:Pass g:Gather",
        "a -> s -> x -> g",
        "s.output1 -> y -> g",
        "s.output -> z -> g.input0",
    )
    assert linked(made) == [
        ("a.output", "s.input"),
        ("s.output0", "x.input"),
        ("x.output", "g.input1"),
        ("s.output1", "y.input"),
        ("y.output", "g.input2"),
        ("s.output2", "z.input"),
        ("z.output", "g.input0"),
    ]
    assert names(made, "s") == (["input"], ["output0", "output1", "output2"])
    assert names(made, "g") == (["input0", "input1", "input2"], ["output"])


def test_members_of_a_named_family_have_the_names_of_their_links_in_their_order() -> None:
    made = plan("a:Source b:Source m:Meet", "b -> m.orders", "a -> m.customers")
    assert linked(made) == [("b.output", "m.orders"), ("a.output", "m.customers")]
    assert names(made, "m") == (["orders", "customers"], ["output"])


def test_an_unnamed_link_to_a_named_family_is_numbered_by_its_position() -> None:
    made = plan("a:Source b:Source c:Source m:Meet", "a -> m", "b -> m.orders", "c -> m")
    assert names(made, "m")[0] == ["input0", "orders", "input2"]


def test_numbered_members_of_a_named_family_are_in_the_order_of_their_numbers() -> None:
    links = ("a -> m.input1", "b -> m.input0")
    assert problems("a:Source b:Source m:Meet", *links) == ["no orders among input0, input1"]


def test_all_but_the_first_member_of_a_family_may_be_read_first() -> None:
    made = plan("a:Source b:Source c:Source m:Meet", "a -> m.orders", "b -> m.x", "c -> m.y")
    assert [view.read_first for view in made.snap("m").inputs] == [False, True, True]


def test_a_name_of_a_named_family_takes_one_link() -> None:
    found = codes("a:Source b:Source m:Meet", "a -> m.orders", "b -> m.orders")
    assert "linked-twice" in found


def test_a_named_family_wants_its_least_number_of_links() -> None:
    assert codes("a:Source m:Meet", "a -> m.orders") == ["too-few-links"]


def test_every_snap_has_an_error_view() -> None:
    made = plan("a:Source b:Pass c:Sink", "a -> b", "b.error -> c")
    assert ("b.error", "c.input") in linked(made)
    assert [str(port) for port in made.open_outputs] == ["b.output"]


def test_a_linked_error_view_is_meant_to_get_the_errors() -> None:
    made = plan("a:Source b:Pass c:Sink", "a -> b", "b.error -> c")
    assert {snap.label: snap.on_error for snap in made.snaps} == {
        "a": "stop",
        "b": "route",
        "c": "stop",
    }


def test_an_error_view_is_not_linked_for_errors_that_stop_the_pipeline() -> None:
    assert codes("a:Source b:Pass:stop c:Sink", "a -> b", "b.error -> c") == [
        "error-view-not-routed"
    ]


def test_routing_errors_nowhere_is_a_warning() -> None:
    assert codes("a:Source b:Pass:route", "a -> b") == ["unlinked-error-view"]


def test_an_optional_view_is_there_only_with_a_link() -> None:
    assert names(plan("a:Script"), "a") == (["input"], ["output"])
    made = plan("s:Source a:Script b:Sink", "s -> a.script", "a.stdout -> b")
    assert names(made, "a") == (["input", "script"], ["output", "stdout"])


def test_views_without_a_link_are_the_pipelines_own() -> None:
    made = plan("a:Pass g:Gather b:Spread c:Pass d:Sink", "a -> g", "b -> c", "b -> d")
    assert [str(port) for port in made.open_inputs] == ["a.input", "b.input"]
    assert [str(port) for port in made.open_outputs] == ["g.output", "c.output"]


def test_families_and_refused_views_want_links() -> None:
    assert codes("a:Source s:Spread g:Gather d:Sink", "a -> s") == [
        "too-few-links",
        "too-few-links",
        "unlinked-input",
    ]


def test_a_snap_that_no_link_touches_is_a_warning() -> None:
    assert codes("a:Source b:Pass c:Pass", "a -> b") == ["unlinked-snap"]
    assert codes("a:Pass") == []


def test_several_flows_in_one_file_are_fine() -> None:
    assert codes("a:Source b:Pass c:Source d:Pass", "a -> b", "c -> d") == []


def test_an_unknown_snap_gets_no_problems_with_its_views() -> None:
    assert codes("a:Source b:Pas c:Sink", "a -> b.left", "b.right -> c") == ["unknown-snap"]


def test_an_unknown_label_is_reported_once_without_its_consequences() -> None:
    assert codes("a:Source c:Sink", "a -> b -> c") == ["unknown-label"]


def test_a_link_that_cannot_be_read_hides_what_follows_from_it() -> None:
    assert codes("a:Source g:Gather", "a => g") == ["bad-link"]


def test_all_cycles_are_reported() -> None:
    links = ("a -> b.input", "b -> a", "g -> c -> g", "d -> g")
    assert codes("a:Pass b:Pass c:Pass d:Pass g:Gather", *links) == ["cycle", "cycle"]


def test_a_snap_behind_a_cycle_is_not_in_it() -> None:
    problems = check_spec(
        parse(pipeline("a:Source g:Gather b:Spread c:Sink", "a -> g -> b -> g", "b -> c")), REGISTRY
    )
    assert [problem.message for problem in problems] == ["these snaps form a cycle: g -> b -> g"]


def test_ten_thousand_snaps_are_checked_in_seconds() -> None:
    labels = [f"s{number}" for number in range(10_000)]
    snaps = " ".join(f"{label}:Pass" for label in labels)
    made = plan(snaps, *(f"{start} -> {end}" for start, end in pairwise(labels)))
    assert len(made.stages) == 10_000
