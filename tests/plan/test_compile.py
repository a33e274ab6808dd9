"""The plan of a valid pipeline."""

import pickle
from pathlib import Path as FilePath

import pytest

from engine.errors import InvalidPipelineError
from engine.pipeline import load, parse
from engine.plan import Plan, check_spec, compile_spec
from engine.registry import Registry
from engine.sdk import Document, Expression, Path, Settings, Snap, View, Views, setting


class NoSettings(Settings):
    pass


class Rows(Settings):
    rows: dict[Path, Expression] = setting(default={}, help="Rows.")


class Passes:
    def process(self, document: Document) -> Document:
        return document


class Quick(Passes, Snap[Rows]):
    stateful = False

    @classmethod
    def reads(cls, settings: Rows) -> frozenset[tuple[str, ...]]:
        return frozenset({("a",)})


class Slow(Passes, Snap[NoSettings]):
    stateful = False
    blocking = True


class Counting(Passes, Snap[NoSettings]):
    loses_lineage = "counts them"


class Spread(Passes, Snap[NoSettings]):
    stateful = False
    views = Views(outputs=(View("output", many=True, minimum=1),))


class Gather(Passes, Snap[NoSettings]):
    stateful = False
    views = Views(inputs=(View("input", many=True, minimum=1),))


class Lookup(Passes, Snap[NoSettings]):
    views = Views(inputs=(View("left"), View("right", read_first=True, optional=True)))


REGISTRY = Registry(
    {snap.__name__: snap for snap in (Quick, Slow, Counting, Spread, Gather, Lookup)}
)


def plan(text: str, path: str = "flow.yaml") -> Plan:
    return compile_spec(parse(text, path), REGISTRY)


def stages(made: Plan) -> list[tuple[str, ...]]:
    return [stage.labels for stage in made.stages]


def test_a_plan_survives_pickling() -> None:
    made = plan(
        "parameters: {token: {required: true}}\n"
        "snaps:\n"
        "  a: {snap: Quick, rows: {$x: $y + 1, $z: _token}}\n"
        "  b: {snap: Counting}\n"
        "links: [a -> b]\n"
    )
    assert pickle.loads(pickle.dumps(made)) == made


def test_the_plan_carries_the_facts_of_each_class() -> None:
    made = plan("snaps: {a: {snap: Quick}, b: {snap: Counting}}\nlinks: [a -> b]")
    quick, counting = made.snap("a").facts, made.snap("b").facts
    assert not quick.stateful
    assert quick.reads == frozenset({("a",)})
    assert counting.stateful
    assert counting.reads is None
    assert counting.loses_lineage == "counts them"


def test_a_chain_of_snaps_that_neither_remember_nor_wait_is_one_stage() -> None:
    made = plan(
        "snaps: {a: {snap: Quick}, b: {snap: Quick}, c: {snap: Slow}, d: {snap: Quick},"
        " e: {snap: Quick}, f: {snap: Counting}}\n"
        "links: [a -> b -> c -> d -> e -> f]"
    )
    assert stages(made) == [("a", "b"), ("c",), ("d", "e"), ("f",)]


def test_a_chain_ends_where_flows_part_or_meet() -> None:
    made = plan(
        "snaps: {a: {snap: Quick}, s: {snap: Spread}, b: {snap: Quick}, c: {snap: Quick},"
        " g: {snap: Gather}, z: {snap: Quick}}\n"
        "links: [a -> s, s -> b -> g, s -> c -> g, g -> z]"
    )
    assert stages(made) == [("a", "s"), ("b",), ("c",), ("g",), ("z",)]


def test_an_error_view_does_not_break_a_chain_nor_make_one() -> None:
    made = plan(
        "snaps: {a: {snap: Quick}, b: {snap: Quick}, e: {snap: Quick}}\n"
        "links: [a -> b, a.error -> e]"
    )
    assert stages(made) == [("a", "b"), ("e",)]


def test_stages_come_after_what_feeds_them() -> None:
    made = plan(
        "snaps: {z: {snap: Counting}, y: {snap: Counting}, x: {snap: Counting}}\n"
        "links: [x -> y -> z]"
    )
    assert stages(made) == [("x",), ("y",), ("z",)]
    assert [snap.label for snap in made.snaps] == ["z", "y", "x"]


def test_a_link_spills_if_its_snap_reads_another_input_to_its_end() -> None:
    made = plan(
        "snaps: {s: {snap: Spread}, a: {snap: Slow}, o: {snap: Slow}, l: {snap: Lookup},"
        " m: {snap: Lookup}}\n"
        "links: [s -> a -> l.right, s -> l.left, o -> m.right, l -> m.left]"
    )
    assert {str(link.source) for link in made.links if link.spills} == {"s.output1", "l.output"}


def test_what_a_disabled_snap_feeds_is_left_out_with_it() -> None:
    made = plan(
        "snaps: {a: {snap: Spread}, b: {snap: Quick, mode: disabled}, c: {snap: Quick},"
        " d: {snap: Quick}}\n"
        "links: [a -> b -> c, a -> d]"
    )
    assert [snap.label for snap in made.snaps] == ["a", "d"]
    assert [str(link.target) for link in made.links] == ["d.input"]
    assert [str(port) for port in made.open_outputs] == ["d.output"]
    assert [view.name for view in made.snap("a").outputs] == ["output0", "output1"]


def test_a_pipeline_with_mistakes_is_not_compiled() -> None:
    with pytest.raises(InvalidPipelineError, match="unknown-snap") as caught:
        plan("snaps: {a: {snap: Quik}, b: {snap: Quick, rowz: 1}}")
    assert len(caught.value.problems) == 4


def test_warnings_do_not_keep_a_pipeline_from_being_compiled() -> None:
    text = "snaps: {a: {snap: Quick}, b: {snap: Quick}}"
    assert [problem.severity for problem in check_spec(parse(text), REGISTRY)] == ["warning"] * 2
    assert len(plan(text).snaps) == 2


def test_the_project_is_the_nearest_folder_upwards_with_a_mark(tmp_path: FilePath) -> None:
    folder = tmp_path / "project" / "pipelines" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    file = folder / "flow.yaml"
    file.write_text("snaps: {a: {snap: Quick}}")
    made = compile_spec(load(file), REGISTRY)
    assert made.folder == str(folder)
    assert made.project == str(tmp_path / "project")
    assert compile_spec(load(file), REGISTRY, project="/elsewhere").project == "/elsewhere"


def test_libraries_travel_in_the_plan(tmp_path: FilePath) -> None:
    (tmp_path / "geo.expr").write_text("{ twice: x => x + x }")
    file = tmp_path / "flow.yaml"
    file.write_text(
        "libraries: {geo: geo.expr}\nsnaps: {a: {snap: Quick, rows: {$a: lib.geo.twice($b)}}}"
    )
    (library,) = compile_spec(load(file), REGISTRY).libraries
    assert (library.name, library.text) == ("geo", "{ twice: x => x + x }")


def test_a_snap_in_the_middle_of_mistakes_still_has_its_expressions_checked() -> None:
    text = "snaps: {a: {snap: Quick, rowz: 1, rows: {$a: $b +}}}"
    codes = {problem.code for problem in check_spec(parse(text), REGISTRY)}
    assert codes == {"unknown-setting", "expression-syntax"}
