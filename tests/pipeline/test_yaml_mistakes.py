"""Mistakes that people make in YAML, with the place, message and hint that they get.

Each case of `yaml_mistakes.txt` is `=== name`, a pipeline, `---`, and the complete report: place,
code and message of each problem, its hint on the line below. Problems elsewhere in the file are
reported as well, but no mere consequences of the mistake.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import Registry, discover

SNAPS = ["Copy", "FileReader", "Filter", "JSONFormatter", "JSONGenerator", "JSONParser", "Mapper"]
SNAPS += ["RemotePythonScript", "Union"]
ABOUT_LINKS = ("unlinked-snap", "too-few-links", "unlinked-input")  # the cases have few links
OF_OTHERS = ("expression-syntax", "python-syntax")  # their messages are tested elsewhere
PARSERS_OWN_WORDS = re.compile(
    "did not find|could not find|while parsing|while scanning|expected <|unexpected end|"
    "mapping values|simple key|this is not YAML"
)


@cache
def registry() -> Registry:
    everything = discover()
    return Registry({name: everything[name] for name in SNAPS})


def report(text: str) -> str:
    lines = []
    for problem in check_spec(parse(text), registry()):
        if problem.code not in ABOUT_LINKS:
            place = f"{problem.where.line}:{problem.where.column}"
            is_of_others = problem.code in OF_OTHERS
            words = "" if is_of_others else f" {problem.message}"
            lines.append(f"{place} {problem.code}{words}")
            if problem.hint and not is_of_others:
                lines.append(f"    {problem.hint}")
    return "\n".join(lines)


def cases() -> list[tuple[str, str, str]]:
    text = Path(__file__).with_name("yaml_mistakes.txt").read_text()
    found = re.findall(
        r"^=== (.+?)\n(.*?)\n---\n(.*?)\n(?=\n===|\Z)", text, re.DOTALL | re.MULTILINE
    )
    assert len(found) == text.count("=== ")
    return [(name, pipeline, expected) for name, pipeline, expected in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [pytest.param(text, expected, id=name) for name, text, expected in cases()],
)
def test_a_mistake_is_placed_and_remedied(text: str, expected: str) -> None:
    assert report(text) == expected


SIGNS = [
    "",
    " ",
    "\t",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    "#",
    ",",
    "- ",
    "| ",
    "> ",
    "%",
    "@",
    "\\",
]


@settings(max_examples=200)
@given(st.data())
def test_the_words_of_the_parser_of_yaml_never_reach_the_user(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([text for _, text, _ in cases()]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 2)))
        text = text[:start] + data.draw(st.sampled_from(SIGNS)) + text[end:]
    for problem in check_spec(parse(text), registry()):
        assert not PARSERS_OWN_WORDS.search(problem.message + problem.hint)
