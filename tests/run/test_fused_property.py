"""Generated pipelines and texts: fused runs leave the same as with `SNAPLINE_PLAIN=1`."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.expressions.records import compiled
from engine.expressions.records.compiled import Compiled
from tests.run.both_ways import both_ways, lines_through, usual_line

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
    ("$label", "$s + ' #' + $a + '/' + $n"),
    ("$size", "$a + ' of ' + $b.d + $s"),
    ("$scaled", "2 - $n * 1.50 * $a"),
    ("$zero", "0 * $n - $a * 0.0 + $b.d"),
    ("$whole_numbers", "$a * $b.d * 2 + $a"),
    ("$halves", "$i.reduce((t, x) => t + x.p * 0.5 - x.q, 0)"),
    ("$texts", "$l.map(x => $s + '-' + x)"),
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
    st.booleans(),
)
def test_fused_and_plain_agree(
    pipeline: str,
    first: list[str],
    lines: list[str],
    mark: bytes,
    bad: bytes,
    end: str,
    splits: bool,
) -> None:
    text = mark + "\n".join([*first, *lines]).encode() + b"\n" + bad
    text += usual_line(5).encode() + end.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "MIN_LINES", 1)
        patch.setattr(Compiled, "_should_split", lambda self: splits and bool(self.filter_reads))
        plain, together = both_ways(pipeline, text)
    assert together == plain
