"""No text, however broken or malicious, takes the loader down or keeps it busy."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pipeline import load, parse

GOOD = """\
parameters: {token: {secret: true}}
snaps:
  a: &a {snap: Filter, filter: "$x == _token"}
  b: {<<: *a, on_error: route}
  c:
    snap: Mapper
    mappings:
      $x: >-
        $y +
        1
links: [a -> b.x -> c, b.error -> c]
"""
BOMB = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP_BY_ALIAS = "a0: &a0 [1]\n" + "".join(
    f"a{n}: &a{n} {'[' * 40}*a{n - 1}{']' * 40}\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "too-large"),
        ("snaps: {a: {snap: X, documents: [" + "1," * 400_000 + "]}}", "too-large"),
        ("- " * 10_000 + "1", "too-deep"),
        ("[" * 100_000, "too-deep"),
        ("{a: " * 10_000, "too-deep"),
        (DEEP_BY_ALIAS, "too-deep"),
        ("a" * 1_000_000 + ": 1", "yaml-error"),
        ("? " + "a" * 1_000_000 + "\n: 1", "unknown-key"),
        (
            "snaps: {a: {snap: X, key: '" + "x" * 1_000_000 + "'}}\nlinks: [" + "->" * 9,
            "yaml-error",
        ),
        ("links: [" + "a -> " * 100_000 + "]", "bad-link"),
        ("a: &a [*a]", "yaml-alias"),
        ("&a a: *a", "unknown-key"),
        ("snaps: {a: !!python/object/apply:os.system ['true']}", "yaml-tag"),
        ("<<: 1", "yaml-error"),
        ("\x00", "bad-encoding"),
        (b"\xff\xfes\x00n\x00", "bad-encoding"),
        (b"snaps: {a: {snap: \xe9}}", "bad-encoding"),
        (b"#" * (10 * 1024 * 1024 + 1), "too-large"),
        ("\n" * 1_000_000, "empty-file"),
    ],
)
def test_a_hostile_file_is_refused_quickly(text: str | bytes, code: str) -> None:
    started = time.process_time()
    spec = parse(text)
    assert code in {problem.code for problem in spec.problems}
    assert all(len(str(problem)) < 2000 for problem in spec.problems)
    assert time.process_time() - started < 5


@settings(deadline=None)
@given(st.text() | st.binary())
def test_any_text_yields_a_spec_with_problems(text: str | bytes) -> None:
    spec = parse(text)
    assert spec.problems or spec.snaps
    assert all(problem.code in str(problem) for problem in spec.problems)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_mangled_pipeline_yields_a_spec(data: st.DataObject) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 5)))
        piece = st.sampled_from(
            ["", " ", "\t", "'", '"', "{", "]", ":", "#", "*", "&a", "!x", "\n"]
        )
        text = text[:start] + data.draw(piece) + text[end:]
    spec = parse(text)
    assert all(str(problem.where) in str(problem) for problem in spec.problems)


def test_an_endless_file_is_not_read_to_its_end() -> None:
    assert [problem.code for problem in load("/dev/zero").problems] == ["too-large"]
