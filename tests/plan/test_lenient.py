"""In a lenient pipeline a mistake in an expression fails only the documents that reach it."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError, SnapFailedError
from engine.pipeline import parse
from engine.plan import check_spec, compile_spec
from engine.registry import discover
from engine.testing import run_pipeline

ROWS = "{snap: JSONGenerator, documents: [{n: 1}, {n: 2}, {n: 3}]}"


def pipeline(expression: str, *, lenient: bool = True) -> str:
    return f"""
lenient: {str(lenient).lower()}
snaps:
  rows: {ROWS}
  shape:
    snap: Mapper
    mappings:
      $x: {expression!r}
      $n: $n
  failed: {{snap: Mapper, mappings: {{$why: $reason, $n: $original.n}}}}
links: [rows -> shape, shape.error -> failed]
"""


FAULTY = [
    ("$n == 2 ? $n.length() : $n", "there is no method `length`"),
    ("$n == 2 ? NULL : $n", "`NULL` is not known"),
    ("$n == 2 ? _gone : $n", "_gone"),
    ("$n == 2 ? lib.gone.f($n) : $n", "gone"),
    ("$n == 2 ? Math.gone($n) : $n", "`Math.gone` is not known"),
    ("$n == 2 ? parseInt() : $n", "parseInt"),
]


@pytest.mark.parametrize(("expression", "reason"), FAULTY)
def test_only_the_documents_that_reach_a_mistake_fail(expression: str, reason: str) -> None:
    run = run_pipeline(pipeline(expression))
    assert run.outputs["shape.output"] == [{"x": 1, "n": 1}, {"x": 3, "n": 3}]
    (failed,) = run.outputs["failed.output"]
    assert failed["n"] == 2
    assert reason in failed["why"]


@pytest.mark.parametrize(("expression", "reason"), FAULTY)
def test_without_the_mark_it_is_a_mistake(expression: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=r"gone|is not known|no method|parseInt"):
        run_pipeline(pipeline(expression, lenient=False))


def test_an_expression_that_cannot_be_parsed_fails_every_document() -> None:
    run = run_pipeline(pipeline("$n >"))
    assert [failed["n"] for failed in run.outputs["failed.output"]] == [1, 2, 3]
    assert "the expression ends here" in run.outputs["failed.output"][0]["why"]


def test_a_filter_is_lenient_too() -> None:
    text = f"""
lenient: true
snaps:
  rows: {ROWS}
  keep: {{snap: Filter, filter: $n < 3 || $n.length() > 0}}
links: [rows -> keep]
"""
    with pytest.raises(SnapFailedError, match="there is no method `length`"):
        run_pipeline(text)
    assert run_pipeline(text.replace("$n < 3", "$n < 9")).output == [{"n": n} for n in (1, 2, 3)]


def test_the_check_still_says_so() -> None:
    spec = parse(pipeline("$n.length()"), "pipeline.yaml")
    (problem,) = check_spec(spec, discover())
    assert (problem.code, problem.severity) == ("expression-syntax", "warning")
    assert compile_spec(spec, discover()).warnings == (problem,)


def test_a_path_that_is_wrong_stays_a_mistake() -> None:
    text = pipeline("$n").replace("$x:", "$x[:")
    with pytest.raises(ConfigurationError, match="bad-path"):
        run_pipeline(text)
