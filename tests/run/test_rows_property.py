"""Generated pipelines and tables: rows leave the same as documents with `SNAPLINE_PLAIN=1`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.run import fused_rows
from engine.run.plain_way import PLAIN_VARIABLE
from engine.run.taps import Taps
from snaps.parse import csv_parser
from tests.run.flowing import Collecting, run


def left_by(pipeline: str, table: bytes) -> dict[str, Any]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.csv").write_bytes(table)
        report, failure, _ = run(folder, pipeline, observer=Collecting(), taps=Taps(()))
        files = {file.name: file.read_bytes() for file in sorted(folder.glob("out*"))}
        if "out-bad.jsonl" in files:  # a Union mixes the errors of two snaps in any order
            errors = files["out-bad.jsonl"].replace(name.encode(), b"").split(b"\n")
            files["out-bad.jsonl"] = b"\n".join(sorted(errors))
        counts = {
            snap.label: (snap.inputs, snap.outputs, snap.dropped, snap.errors)
            for snap in report.snaps
        }
        if failure is not None:  # how far the other snaps got is not defined
            counts = {}
        return {"files": files, "failure": str(failure).replace(name, ""), "counts": counts}


def both_ways(pipeline: str, table: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a pipeline makes of a table: with documents, and with rows in tiny parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLAIN_VARIABLE, "1")
        plain = left_by(pipeline, table)
        patch.delenv(PLAIN_VARIABLE)
        patch.setattr(csv_parser, "_PART", 40)
        return plain, left_by(pipeline, table)


def through(*snaps: str, parser: str = "", formatter: str = "", on_error: str = "stop") -> str:
    """A pipeline of these snaps between a parser and a formatter of CSV."""
    labels = ["parse", *(f"s{number}" for number in range(len(snaps)))]
    given = [f"snap: CSVParser{parser}", *snaps]
    placed = [
        f"  {label}: {{{snap}, on_error: {on_error}}}"
        for label, snap in zip(labels, given, strict=True)
    ]
    routes = on_error == "route"
    errors = [f"  - {label}.error -> bad.input{place}" for place, label in enumerate(labels)]
    sink = [
        "  bad: {snap: Union}",
        "  bad_lines: {snap: JSONFormatter, json_lines: true, on_error: discard}",
        "  bad_file: {snap: FileWriter, file: out-bad.jsonl}",
    ]
    formatter_error = "discard" if routes else on_error
    return "\n".join(
        [
            "pipeline: Rows",
            "snaps:",
            "  read: {snap: FileReader, file: in.csv}",
            *placed,
            f"  format: {{snap: CSVFormatter{formatter}, on_error: {formatter_error}}}",
            "  write: {snap: FileWriter, file: out.csv}",
            *(sink if routes else ()),
            "links:",
            f"  - read -> {' -> '.join(labels)} -> format -> write",
            *([*errors, "  - bad -> bad_lines -> bad_file"] if routes else ()),
        ]
    )


CONDITIONS = [
    "$a > 1",
    "$a != 'x' && $b.length > 0",
    "$c == null",
    "$missing == null",
    "$a",
    "$b.startsWith('y')",
    "$.hasOwnProperty('a')",
    "true",
    "false",
]
MAPPINGS = [
    ("$a", "$a"),
    ("$b", "$b"),
    ("$x", "$a"),
    ("$c", "$a + $b"),
    ("$n", "parseInt($a)"),
    ("$up", "$b.toUpperCase()"),
    ("$deep.x", "$b"),
    ("$['odd name']", "$c"),
    ("$no", "$missing"),
    ("$bad", "$a.x.y"),
    ("$list", "[$a, $b]"),
    ("$const", "1.50"),
]
flags = st.sampled_from(["true", "false"])
filters = st.builds(
    lambda condition, safe: (
        f"snap: Filter, filter: {json.dumps(condition)}, null_safe_access: {safe}"
    ),
    st.sampled_from(CONDITIONS),
    flags,
)
mappers = st.builds(
    lambda rows, passes, safe: (
        f"snap: Mapper, pass_through: {passes}, null_safe_access: {safe}, "
        f"mappings: {json.dumps(dict(rows))}"
    ),
    st.lists(st.sampled_from(MAPPINGS), min_size=1, max_size=4),
    st.sampled_from(["true", "false", "false"]),
    flags,
)
copies = st.just("snap: Mapper, mappings: {$b: $b, $x: $a}")
parsers = st.sampled_from(
    [
        "", "", "", ", error_policy: fail", ", error_policy: trim", ", contains_header: false",
        ", columns: [a, b]", ", columns: [a, a]", ", ignore_empty_data: false",
        ", validate_headers: true", ", preserve_surrounding_spaces: true", ", skip_lines: 1",
        ", charset: utf-16", ", quote_character: ''", ", escape_character: ''",
    ]
)  # fmt: skip
formatters = st.sampled_from(
    [
        "", "", ", quote_mode: minimal", ", quote_mode: none", ", columns: [b, a]",
        ", columns: [a, nowhere]", ", charset: ISO-8859-1", ", write_header: false",
        ", newline_character: crlf", ", quote_mode: non_numeric",
    ]
)  # fmt: skip
pipelines = st.builds(
    lambda snaps, parser, formatter, on_error: through(
        *snaps, parser=parser, formatter=formatter, on_error=on_error
    ),
    st.lists(st.one_of(filters, mappers, copies), max_size=2),
    parsers,
    formatters,
    st.sampled_from(["stop", "discard", "route"]),
)
headers = st.sampled_from(
    [
        "a,b,c",
        "a,b,c",
        "a,b,c",
        "a,b",
        "a",
        "a,a,b",
        ",b,c",
        "a,,",
        '"a","b","c"',
        "b,c,a",
        " a ,b,c",
    ]
)
VALUES = [
    "1", "2", "x", "y", "", " x", "x ", '"q"', '"a, b"', '"say ""hi"""', '"two\nlines"', '"a\r\nb"',
    "\\", '\\"', "\\,", "é", "€", "\x1f", "\x1e", '" "', 'a"b', "\t", "0012", '"\\"',
]  # fmt: skip
values = st.one_of(st.sampled_from(["1", "2", "x", "y"]), st.sampled_from(VALUES))
usual = st.lists(values, min_size=3, max_size=3).map(",".join)
odd = st.one_of(
    st.lists(values, max_size=5).map(",".join),
    st.sampled_from(["", " ", ",,", '"never closed', "1,2,3,4,5", "\x00", "1"]),
)
lines = st.lists(st.one_of(usual, usual, usual, odd), max_size=14)


@settings(
    max_examples=200,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(
    pipelines,
    headers,
    st.lists(usual, max_size=3),
    lines,
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.sampled_from([b"", b"", b"\xef\xbb\xbf"]),
    st.sampled_from([b"", b"", b"", b"\xff"]),
    st.booleans(),
)
def test_rows_and_documents_agree(
    pipeline: str,
    header: str,
    first: list[str],
    rest: list[str],
    end: str,
    mark: bytes,
    bad: bytes,
    ends: bool,
) -> None:
    text = end.join([header, *first, *rest]) + (end if ends else "")
    plain, rows = both_ways(pipeline, mark + text.encode() + bad)
    assert rows == plain


@pytest.mark.parametrize(
    ("delimiter", "quote"), [(";", '"'), ("\\t", '"'), ("|", "'"), (",", "'"), (" ", '"')]
)
def test_other_characters_agree(delimiter: str, quote: str) -> None:
    written = delimiter.replace("\\t", "\t")
    style = f", delimiter: {json.dumps(delimiter)}, quote_character: {json.dumps(quote)}"
    spaced = " z " if written != " " else "z"
    records = [
        ["a", "b", "c"],
        *([str(n), f"{quote}x{written}{n}{quote}", spaced] for n in range(40)),
    ]
    text = "".join(written.join(record) + "\n" for record in records).encode()
    plain, rows = both_ways(through(parser=style, formatter=style), text)
    assert rows == plain
    assert plain["failure"] == "None"


@pytest.mark.parametrize(
    "snaps",
    [
        (),
        ("snap: Filter, filter: $a > 3",),
        ("snap: Mapper, mappings: {$b: $b, $x: $a}",),
        ("snap: Mapper, mappings: {$n: '$a * 2', $b: $b}", "snap: Filter, filter: $n > 7"),
    ],
)
def test_usual_rows_are_not_made_documents(
    snaps: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    of_rows = fused_rows.RowRun._text_of

    def noting(self: Any, source: Any, rows: list[Any]) -> bytes | None:
        text = of_rows(self, source, rows)
        taken.append(len(rows) if text is not None else 0)
        return text

    monkeypatch.setattr(fused_rows.RowRun, "_text_of", noting)
    text = "a,b,c\n" + "".join(f"{n},y{n},z\n" for n in range(200))
    plain, rows = both_ways(through(*snaps), text.encode())
    assert rows == plain
    assert sum(taken) > 150


@pytest.mark.parametrize(
    "snaps",
    [
        ("snap: Mapper, mappings: {$a: $a, $n: snap.in.totalCount}",),
        ("snap: Mapper, mappings: {$a: $a, $n: \"snap['in'].totalCount\"}",),
        ("snap: Filter, filter: snap.in.totalCount > 20",),
        ('snap: Mapper, mappings: {$n: "Math.max(...snap.in.totalCount.toString().split())"}',),
        ("snap: Filter, filter: $a > 3", "snap: Mapper, mappings: {$n: snap.in.totalCount}"),
        ("snap: Mapper, mappings: {$a: $a, $n: \"eval('sn' + 'ap.in.totalCount')\"}",),
    ],
)
def test_snaps_that_count_their_documents_see_the_same_counts(snaps: tuple[str, ...]) -> None:
    text = "a,b,c\n" + "".join(f"{n},y{n},z{',odd' * (n % 9 == 8)}\n" for n in range(200))
    plain, rows = both_ways(through(*snaps, on_error="discard"), text.encode())
    assert rows == plain
