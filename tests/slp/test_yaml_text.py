"""The YAML that an import writes is read as the same values."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pipeline.load import compose_text
from engine.pipeline.nodes import plain
from engine.slp.yaml_text import AsText, Commented, to_yaml

PIECES = " \n#:-'\"[]{},=$_ab|>?!&*%@`\\.\t1é"
LOOK_ALIKES = [
    "1", "1.0", "null", "~", "true", "no", "0x1f", ".5", "= $a", "'x'", "- a", "---", "a: b",
    "a #b", "\u2028x", "a\nb", "a\n", "\n a\n\n", "a\n\n", " a\nb", "\r\n", "=", "", " ", "<<", "?",
    "1e5",
]  # fmt: skip
texts = st.one_of(st.text(max_size=20), st.text(PIECES, max_size=14), st.sampled_from(LOOK_ALIKES))
keys = st.text(PIECES, min_size=1, max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=10,
)


def read(text: str) -> Any:
    source, problems = compose_text(text, "pipeline.yaml")
    assert not problems, text
    assert source.root is not None
    return plain(source.root)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(keys, values, min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(table: dict[str, Any]) -> None:
    assert read(to_yaml(table)) == table


@settings(max_examples=100, deadline=None)
@given(texts)
def test_a_default_keeps_its_text(text: str) -> None:
    source, problems = compose_text(to_yaml({"a": AsText(text)}), "pipeline.yaml")
    assert not problems
    entry: Any = source.root.entries["a"].value  # type: ignore[union-attr]
    assert entry.text == text
    assert entry.value is not None


def test_comments_stand_above_their_key() -> None:
    table = {"a": 1, "b": Commented({"c": 2}, ("first", "", "second"))}
    assert to_yaml(table, ("top",)) == "# top\na: 1\n# first\n#\n# second\nb: {c: 2}\n"


def test_short_rows_stand_on_one_line_and_long_ones_on_several() -> None:
    rows = [{"a": 1, "b": 2}, {"a": "x" * 60, "b": "y" * 60}, {"a": 1}]
    assert to_yaml({"rows": rows}) == (
        f"rows:\n  - {{a: 1, b: 2}}\n  - a: {'x' * 60}\n    b: {'y' * 60}\n  - a: 1\n"
    )
