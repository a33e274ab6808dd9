"""Fused runs: the same bytes, error documents, counts and order as with `SNAPLINE_PLAIN=1`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents import Document
from engine.run import fused
from engine.run.fused import FusedRun
from engine.run.plain_way import PLAIN_VARIABLE
from engine.sdk import Keep, Snap, Step
from engine.sdk.settings import NoSettings
from tests.run.flowing import run


class Silent:
    """An observer that does not look at the batches between snaps."""

    def started(self, report: object, secrets: object) -> None: ...
    def show(self, label: str, text: str) -> None: ...
    def finished(self, report: object) -> None: ...
    def output(self, port: object, batch: object) -> None: ...


# --- both ways ---


def both_ways(pipeline: str, text: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a pipeline leaves of the text: plainly, and fused in tiny blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLAIN_VARIABLE, "1")
        plain = left_by(pipeline, text)
        patch.delenv(PLAIN_VARIABLE)
        patch.setattr(fused, "LEAST_BYTES", 0)
        patch.setattr(fused, "BLOCK_BYTES", 300)
        return plain, left_by(pipeline, text)


def left_by(pipeline: str, text: bytes) -> dict[str, Any]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.jsonl").write_bytes(text)
        report, failure, _ = run(folder, pipeline, observer=Silent())
        files = {file.name: file.read_bytes() for file in sorted(folder.glob("out*"))}
        if "out-bad.jsonl" in files:  # a Union mixes the errors of two snaps in any order
            files["out-bad.jsonl"] = b"\n".join(sorted(files["out-bad.jsonl"].split(b"\n")))
        counts = {
            snap.label: (snap.inputs, snap.outputs, snap.dropped, snap.errors)
            for snap in report.snaps
        }
        if failure is not None:  # how far others had come by then is not defined
            counts = {}
        return {"files": files, "failure": str(failure).replace(name, ""), "counts": counts}


def lines_through(*snaps: str, on_error: str = "stop") -> str:
    """A pipeline of these snaps between a parser and a formatter of JSON lines."""
    labels = [f"s{number}" for number in range(len(snaps))]
    placed = [
        f"  {label}: {{{snap}, on_error: {on_error}}}"
        for label, snap in zip(labels, snaps, strict=True)
    ]
    errors = [f"  - {label}.error -> bad.input{place}" for place, label in enumerate(labels)]
    sink = [
        "  bad: {snap: Union}",
        "  bad_lines: {snap: JSONFormatter, json_lines: true, on_error: discard}",
        "  bad_file: {snap: FileWriter, file: out-bad.jsonl}",
    ]
    routes = on_error == "route"
    formatter = "discard" if routes else on_error
    return "\n".join(
        [
            "pipeline: Lines",
            "snaps:",
            "  read: {snap: FileReader, file: in.jsonl}",
            "  parse: {snap: JSONParser, json_lines: true, on_error: discard}",
            *placed,
            f"  format: {{snap: JSONFormatter, json_lines: true, on_error: {formatter}}}",
            "  write: {snap: FileWriter, file: out.jsonl}",
            *(sink if routes else ()),
            "links:",
            f"  - read -> parse -> {' -> '.join(labels)} -> format -> write",
            *([*errors, "  - bad -> bad_lines -> bad_file"] if routes else ()),
        ]
    )


# --- generated pipelines and texts ---

CONDITIONS = [
    "$a > 1",
    "$a > 1 && $b.c != 'x'",
    "$s == 'x' || $n >= 2.5",
    "$b.c.length > 0",
    "$l.filter(x => x > 1).length > 0",
    "$a",
    "$.hasOwnProperty('a')",
    "$n * 3 == 7.5",
    "true",
]
ROWS = [
    ("$a", "$a"),
    ("$t", "$a * $n"),
    ("$u", "$n / 3"),
    ("$s", "$s + '!'"),
    ("$c", "$b.c"),
    ("$whole", "$b"),
    ("$deep.x", "$a + 1"),
    ("$deep.y", "$l"),
    ("$b.c", "$b.c + $b.d"),
    ("$first", "$l[0]"),
    ("$sum", "$l.reduce((t, x) => t + x, 0)"),
    ("$up", "$s.toUpperCase()"),
    ("$names", "$i.filter(x => x.p > 1).map(x => x.m)"),
    ("$total", "$i.reduce((t, x) => t + x.p * x.q, 0)"),
    ("$one", "$i[0].m"),
    ("$two", "$i[1].p * $a + $n"),
    ("$all", "$i.filter(x => x.p > 1)"),
    ("$count", "$i.filter(x => x.p > 1).length"),
    ("$formula", "$a * $n - $b.d * (2 - $n)"),
    ("$again", "($a * $n - $b.d * (2 - $n)) * 2 + $a * $n"),
    ("$nan", "$a - $s"),
    ("$bad", "$missing.x"),
    ("$o", "{k: $a, nested: {n: $n}}"),
    ("$const", "1.50"),
    ("$list", "[$a, $n, null]"),
]
mappers = st.builds(
    lambda rows, passes, safe: (
        f"snap: Mapper, pass_through: {str(passes).lower()}, null_safe_access: "
        f"{str(safe).lower()}, mappings: {json.dumps(dict(rows))}"
    ),
    st.lists(st.sampled_from(ROWS), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
)
filters = st.builds(
    lambda condition, safe: (
        f"snap: Filter, filter: {json.dumps(condition)}, null_safe_access: {str(safe).lower()}"
    ),
    st.sampled_from(CONDITIONS),
    st.booleans(),
)
pipelines = st.builds(
    lines_through,
    st.one_of(filters, mappers),
    st.one_of(filters, mappers),
    on_error=st.sampled_from(["stop", "discard", "route"]),
)

SCALARS = [
    "1",
    "0",
    "-0",
    "2.50",
    "-3.25",
    "1e2",
    "1E+2",
    "1e-9",
    "0.0000001",
    "12345678901234567890",
]
SCALARS += ["0.000000", "-0.0", "1e99999", "9" * 40, "null", "true", '"x"', '""', '"2.5"', '"é"']
SCALARS += [r'"a\"b"', r'"\u00e9"', r'"\ud83d\ude00"', r'"\/"', '" sp ace, "', '"e5"', '"\u20ac"']
numbers = st.sampled_from(["1", "2", "3.5", "2.50", "7"])
texts = st.sampled_from(['"x"', '"y"', '"some text"'])
usual = st.builds(
    '{{"a":{},"n":{},"s":{},"b":{{"c":{},"d":1}},"l":[{},{}],'
    '"i":[{{"p":{},"q":2.5,"m":"x"}},{{"p":1.5,"q":{},"m":"y"}}]}}'.format,
    *(numbers, numbers, texts, texts, numbers, numbers, numbers, numbers),
)  # fmt: skip
odd = st.builds(
    '{{"a":{},"n":{},"s":{},"b":{{"c":{},"d":1}},"l":[{},{}],'
    '"i":[{{"p":{},"q":2.5,"m":{}}}]}}'.format,
    *[st.sampled_from(SCALARS)] * 8,
)
OTHER_LINES = [
    "", " ", "not json", "{}", "[1]", "1", '{"a":1}', '{"a":1,"a":2,"n":1,"s":"x"}',
    '{"a":1,"n":1,"s":"x","b":{"c":"q","c":"r","d":1},"l":[2]}',
    '{ "a": 1, "n": 2.50, "s": "x", "b": {"c": "x", "d": 1}, "l": [1, 2]}',
    '{"n":1,"a":2,"s":"x","b":{"c":"x","d":1},"l":[]}',
    '{"a":1,"n":2,"s":"x","b":null,"l":[]}',
    '{"a":1,"n":2,"s":"x","b":"text","l":{}}',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1e99999},"l":[1]}',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1]}\r',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1]} {"a":2}',
    "{'a':1}",
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1],"i":[]}',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1],"i":[1,{"p":1}]}',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1],"i":{"p":1}}',
    '{"a":1,"n":2,"s":"x","b":{"c":"x","d":1},"l":[1],"i":[{"m":1,"p":2,"q":3,"z":4}]}',
]  # fmt: skip
line = st.one_of(usual, usual, usual, odd, st.sampled_from(OTHER_LINES))
end = st.sampled_from(["\n", ""])
mark = st.sampled_from([b"", b"", b"\xef\xbb\xbf"])
bad_bytes = st.sampled_from([b"", b"", b"", b"\xff", b'{"a":1,"x":"\xff"}\n'])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(
    pipelines,
    st.lists(usual, min_size=1, max_size=3),
    st.lists(line, max_size=14),
    mark,
    bad_bytes,
    end,
)
def test_fused_and_plain_agree(
    pipeline: str, first: list[str], lines: list[str], mark: bytes, bad: bytes, end: str
) -> None:
    text = mark + "\n".join([*first, *lines]).encode() + b"\n" + bad
    text += usual_line(5).encode() + end.encode()
    plain, together = both_ways(pipeline, text)
    assert together == plain


def usual_line(number: int) -> str:
    document: dict[str, Any] = {
        "a": number,
        "n": 2.5,
        "s": "x",
        "b": {"c": "y", "d": 1},
        "l": [1, 2],
    }
    document["i"] = [{"p": 2, "q": 0.5, "m": "x"}]
    return json.dumps(document, separators=(",", ":"))


def usual_text(count: int) -> bytes:
    return "".join(usual_line(number) + "\n" for number in range(count)).encode()


# --- what is fused ---


@pytest.fixture
def fused_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines each fused block had."""
    counts: list[int] = []
    process = FusedRun._fused

    def counted(self: FusedRun, block: bytes) -> Any:
        made = process(self, block)
        if made is not None:
            counts.append(block.count(b"\n"))
        return made

    monkeypatch.setattr(FusedRun, "_fused", counted)
    return counts


@pytest.mark.parametrize(
    "snaps",
    [
        ["snap: Filter, filter: $a > 3"],
        ["snap: Mapper, mappings: {$x: $a, $y.z: $b.c}"],
        ["snap: Mapper, pass_through: true, mappings: {$x: $a * $n}"],
        ["snap: Filter, filter: $a > 3", "snap: Mapper, mappings: {$x: $a}"],
        ["snap: Mapper, mappings: {$x: $a}", "snap: Filter, filter: $x > 3"],
        ["snap: Mapper, mappings: {$x: '$i.map(x => x.p * 2)', $y: '$i[0].m'}"],
    ],
    ids=["filter", "mapper", "pass-through", "filter and mapper", "mapper and filter", "arrays"],
)
def test_usual_lines_are_fused(snaps: list[str], fused_lines: list[int]) -> None:
    plain, together = both_ways(lines_through(*snaps), usual_text(40))
    assert together == plain
    assert sum(fused_lines) >= 30


def test_a_diamond_is_fused(fused_lines: list[int]) -> None:
    pipeline = """
pipeline: Diamond
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  share: {snap: Copy}
  small: {snap: Filter, filter: $a < 5}
  even: {snap: Filter, filter: $a % 2 == 0}
  join: {snap: Union}
  format: {snap: JSONFormatter, json_lines: true}
  write: {snap: FileWriter, file: out.jsonl}
links:
  - read -> parse -> share
  - share.output0 -> small -> join
  - share.output1 -> even -> join
  - join -> format -> write
"""
    plain, together = both_ways(pipeline, usual_text(40))
    assert sum(fused_lines) >= 30
    for left in (plain, together):
        left["files"] = {n: sorted(text.split(b"\n")) for n, text in left["files"].items()}
    assert together == plain


def test_documents_for_a_snap_without_steps_are_made_by_a_fused_run(fused_lines: list[int]) -> None:
    pipeline = """
pipeline: Documents
snaps:
  read: {snap: FileReader, file: in.jsonl}
  parse: {snap: JSONParser, json_lines: true}
  keep: {snap: Filter, filter: $a > 3}
  make: {snap: Mapper, mappings: {$x: $a, $b: $b}}
  array: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links:
  - read -> parse -> keep -> make -> array -> write
"""
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain
    assert sum(fused_lines) >= 30


def test_an_odd_line_costs_only_itself(fused_lines: list[int]) -> None:
    text = usual_text(20) + b'{"a":99,"a":100}\n' + usual_text(20)
    plain, together = both_ways(lines_through("snap: Filter, filter: $a > 3"), text)
    assert together == plain
    assert sum(fused_lines) >= 25


def test_small_inputs_are_not_fused(fused_lines: list[int], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(usual_text(40))
    run(tmp_path, lines_through("snap: Filter, filter: $a > 3"), observer=Silent())
    assert not fused_lines


def test_a_watched_run_is_plain(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused, "LEAST_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(40))
    run(tmp_path, lines_through("snap: Filter, filter: $a > 3"))
    assert not fused_lines


def test_a_number_beyond_the_bounds_fails_its_line_wherever_it_is() -> None:
    """In a field that nobody reads, and after the first thousand documents too."""
    lines = [f'{{"id":{number},"unused":1.5}}' for number in range(3000)]
    lines[2500] = '{"id":2500,"unused":1e99999}'
    lines[2700] = '{"id":2700,"unused":"\udcff"}'
    text = "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n"
    pipeline = lines_through("snap: Mapper, mappings: {$id: $id}")
    plain, together = both_ways(pipeline, text)
    assert together == plain
    assert together["counts"]["parse"][3] == 2


def test_a_snap_of_somebody_else_with_steps_is_fused(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(Snap[NoSettings]):
        """Keep the documents whose `a` is over 3."""

        stateful = False
        plain = True

        @classmethod
        def steps(cls, settings: NoSettings) -> tuple[Step, ...]:
            return (Keep("$a > 3"),)

        def process(self, document: Document) -> Document | None:
            return document if document["a"] > 3 else None

    monkeypatch.setattr(fused, "LEAST_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(400))
    _, failure, _ = run(tmp_path, lines_through("snap: Large"), Large, observer=Silent())
    assert failure is None
    assert sum(fused_lines) > 350
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 396


@pytest.mark.parametrize("before", [0, 1, 429, 430, 4299])
def test_a_number_with_too_many_digits_fails_its_line_wherever_it_begins(before: int) -> None:
    """The search for long numbers looks at samples, which must not miss the shortest of them."""
    lines = [f'{{"id":{number},"unused":1.5}}' for number in range(3000)]
    lines[2500] = f'{{"id":2500,"note":"{"n" * before}","unused":{"7" * 4301}}}'
    pipeline = lines_through("snap: Mapper, mappings: {$id: $id}")
    plain, together = both_ways(pipeline, "\n".join(lines).encode() + b"\n")
    assert together == plain
    assert together["counts"]["parse"][3] == 1


def test_a_first_line_that_is_unlike_the_others_is_forgotten(fused_lines: list[int]) -> None:
    text = usual_text(2) + b'{"a":9}\n' * 8 + usual_text(60)
    plain, together = both_ways(lines_through("snap: Mapper, mappings: {$x: $a}"), text)
    assert together == plain
    text = b'{"a":9}\n' * 60 + usual_text(400)
    snaps = "snap: Mapper, null_safe_access: true, pass_through: true, mappings: {$x: $a * 2}"
    plain, together = both_ways(lines_through(snaps), text)
    assert together == plain
    assert sum(fused_lines[-100:]) > 200


def test_the_steps_of_a_base_class_do_not_count_for_a_subclass_that_does_something_else(
    fused_lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(Snap[NoSettings]):
        """Keep the documents whose `a` is over 3."""

        stateful = False

        @classmethod
        def steps(cls, settings: NoSettings) -> tuple[Step, ...]:
            return (Keep("$a > 3"),)

        def process(self, document: Document) -> Document | None:
            return document if document["a"] > 3 else None

    class Larger(Large):
        """Keep the documents whose `a` is over 5."""

        def process(self, document: Document) -> Document | None:
            return document if document["a"] > 5 else None

    monkeypatch.setattr(fused, "LEAST_BYTES", 0)
    (tmp_path / "in.jsonl").write_bytes(usual_text(400))
    _, failure, _ = run(tmp_path, lines_through("snap: Larger"), Larger, observer=Silent())
    assert failure is None
    assert not fused_lines
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 394


@pytest.mark.parametrize(
    "snap",
    [
        "snap: Filter, filter: $a < 60 * 60 * 24",
        "snap: Mapper, mappings: {$x: 60 * 60 * 24, $y: 0.1 + 0.2}",
        "snap: Mapper, mappings: {$x: '$l.map(x => x * (60 * 60))'}",
        "snap: Mapper, pass_through: true, mappings: {}",
        "snap: Mapper, mappings: {$x: '$i.reduce((t, x) => t + x.p)'}",
        "snap: Mapper, mappings: {$x: '$i.filter(x => x.p > 1).reduce((t, x) => t + x.p)'}",
        "snap: Mapper, mappings: {$x: NaN, $a: $a}",
        "snap: Filter, filter: '$a < 0 ? $i.k.map(x => x.q).length > 0 : $i.map(x => x.p) != 3'",
    ],
)
def test_unusual_expressions_agree(snap: str) -> None:
    pipeline = lines_through(snap, on_error="discard").replace(
        ", on_error: discard, on_error", ", on_error"
    )
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain


def test_a_function_in_a_document_sees_its_own_record() -> None:
    make = "snap: Mapper, mappings: {$h: 'x => x > $a', $l: $l}"
    rows = "{target: $r, expression: '[1,10,35].filter($h)'}, {expression: $..zz}"
    use = f"snap: Mapper, mappings: [{rows}]"
    pipeline = lines_through(make, use)
    plain, together = both_ways(pipeline, usual_text(40))
    assert together == plain


def test_a_value_across_two_lines_moves_no_document_to_another_line() -> None:
    lines = [f'{{"a":{number},"b":{{"c":1}}}}' for number in range(100)]
    lines[50:50] = ['{"a":0,"b":', '{"c":1}}']
    lines[60:60] = ['{"a":0,"b":{"c":1}}{"a":0,"b":{"c":1}}']
    text = "\n".join(lines).encode() + b"\n"
    plain, together = both_ways(lines_through("snap: Filter, filter: $a != 55"), text)
    assert together == plain


def test_nested_arrays_are_no_shape() -> None:
    text = b'{"a":5,"d":' + b"[" * 60 + b"]" * 60 + b"}\n"
    plain, together = both_ways(
        lines_through("snap: Filter, filter: $a > 3"), text * 5 + usual_text(9)
    )
    assert together == plain


@pytest.mark.parametrize("start", [b"BZh91\n", b"PK\x03\x04\n", b"\n", b"{}\n", b"    \n"])
def test_a_stream_with_an_odd_start_agrees(start: bytes) -> None:
    pipeline = lines_through("snap: Mapper, mappings: {$x: $a}", on_error="discard")
    array = pipeline.replace("JSONFormatter, json_lines: true", "JSONFormatter")
    for each in (pipeline, array):
        plain, together = both_ways(each, start + usual_text(40))
        assert together == plain
