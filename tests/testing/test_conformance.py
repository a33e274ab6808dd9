"""Each rule of the conformance walk catches the snap that breaks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.registry import Registry, files_of
from engine.testing.conformance import conformance_checks

GOOD = '''\
"""Double the field `n` of each document."""

from engine.sdk import Example, Foreign, Settings, Snap, View, Views, setting


class DoubleSettings(Settings):
    field: str = setting(default="n", help="What is doubled.", example="m")


class Double(Snap[DoubleSettings]):
    stateful = False
    since = "1.2"
    foreign = Foreign("com-example-double", "Double", settings={"fieldName": "field"})
    examples = (Example("two becomes four", given=[{"n": 2}], expect=[{"n": 4}]),)

    def process(self, document):
        return {"n": 2 * document[self.settings.field]}
'''

Mistakes = Callable[..., list[str]]


@pytest.fixture
def mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mistakes]:
    """The failures of the valid snap after replacing some of its text."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def walk(*replacements: tuple[str, str], file: str = "double.py") -> list[str]:
        text = GOOD
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "checked_snaps").mkdir()
        (tmp_path / "checked_snaps" / file).write_text(text)
        invalidate_caches()
        registry = Registry(files=files_of("checked_snaps"))
        return [line for snap in registry.values() for line in messages(snap, tmp_path)]

    yield walk
    for module in set(sys.modules) - before:
        del sys.modules[module]


def messages(snap: Any, tmp_path: Path) -> Iterator[str]:
    for number, check in enumerate(conformance_checks(snap)):
        project = tmp_path / str(number)
        project.mkdir()
        try:
            check.run(project)
        except AssertionError as error:
            yield str(error)


def test_a_good_snap_keeps_all_rules(mistakes: Mistakes) -> None:
    assert mistakes() == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('expect=[{"n": 4}]', 'expect=[{"n": 5}]', "but the example expects"),
        ('of each document."""', 'of each\ndocument."""', "must begin with one sentence"),
        (
            "class Double(",
            "class Other(Snap): ...\nclass Double(",
            "also contains other snaps: Other",
        ),
        ("field: str", "Field: str = ''; field: str", "must be in lower case with underscores"),
        ("What is doubled.", "what is doubled", "needs a sentence as help"),
        ('example="m"', "example=3", "the example of the setting 'field' does not fit"),
        ("    examples = (", "    examples = () and (", "Double has no examples"),
        (
            "    field: str",
            "    mode: str = setting(default='', help='It.')\n    field: str",
            "key 'mode'",
        ),
        ("    stateful = False", "    stateful = False\n    single = True", "in several copies"),
        ("    stateful = False", "    views = Views((View('a'), View('a')))", "the same name"),
        ("    stateful = False", "    category = 'Own Snaps'", "the category 'Own Snaps' must be"),
        ('since = "1.2"', 'since = "soon"', "since must be a version"),
        ('"fieldName": "field"', '"fieldName": "name"', "maps to unknown settings: name"),
        ('"com-example-double", ', '"", ', "foreign needs a class id and a name"),
        ('"fieldName": "field"', '"fieldName": "field[].key"', "unknown settings: field[].key"),
        (', settings={"f', ', ignored=("fieldName",), settings={"f', "'fieldName' is named twice"),
        (', settings={"f', ', choices={"mode": {"a": "b"}}, settings={"f', "for 'mode', which is"),
        (', settings={"f', ', defaults={"mode": "b"}, settings={"f', "a default is given for 'mo"),
        (', settings={"f', ', views={"in": "left"}, settings={"f', "unknown views: left"),
    ],
)
def test_a_broken_rule_is_named(mistakes: Mistakes, old: str, new: str, message: str) -> None:
    found = mistakes((old, new))
    assert any(message in line for line in found), found


def test_two_snaps_that_stand_for_the_same_one_are_both_named(
    mistakes: Mistakes, tmp_path: Path
) -> None:
    mistakes()
    twice = GOOD.replace("class Double(", "class Twice(")
    (tmp_path / "checked_snaps" / "twice.py").write_text(twice)
    invalidate_caches()
    registry = Registry(files=files_of("checked_snaps"))
    with pytest.raises(ConfigurationError, match=r"com-example-double: Double \(.*le\.py\) and"):
        registry.by_foreign_id()


def test_words_must_be_choices_of_the_setting(mistakes: Mistakes) -> None:
    found = mistakes(
        ("from engine.sdk", "from typing import Literal\n\nfrom engine.sdk"),
        (
            "    field: str",
            "    unit: Literal['px'] = setting(help='A unit.', default='px')\n    field: str",
        ),
        ('"fieldName": "field"', '"u": "unit"}, choices={"u": {"Points": "pt", "Pixels": "px"}'),
    )
    assert found == ["the setting 'unit' has no such choices: pt"]


def test_an_older_class_id_leads_to_the_same_snap(mistakes: Mistakes, tmp_path: Path) -> None:
    mistakes((', settings={"f', ', aliases=("com-example-old",), settings={"f'))
    found = Registry(files=files_of("checked_snaps")).by_foreign_id()
    assert found == {"com-example-double": "Double", "com-example-old": "Double"}


STEPS = """    stateful = False

    @classmethod
    def steps(cls, settings):
        return (Make((("$n", "{}"),)),)
"""


def with_steps(expression: str) -> tuple[tuple[str, str], ...]:
    imported = "from engine.sdk import Example, Foreign, Make, Settings"
    return (
        ("    stateful = False\n", STEPS.format(expression)),
        ("from engine.sdk import Example, Foreign, Settings", imported),
    )


def test_steps_may_do_what_the_snap_does(mistakes: Mistakes) -> None:
    assert mistakes(*with_steps("typeof $n == 'number' ? 2 * $n : null.x")) == []


def test_steps_that_do_something_else_are_named(mistakes: Mistakes) -> None:
    found = mistakes(*with_steps("3 * $n"))
    assert any("the steps make" in line and '{"n":6}' in line for line in found)


def test_a_snap_that_changes_its_input_must_not_declare_otherwise(mistakes: Mistakes) -> None:
    declared = ("    stateful = False\n", "    stateful = False\n    changes_input = False\n")
    changed = (
        '        return {"n": 2 *',
        '        document["seen"] = True\n        return {"n": 2 *',
    )
    found = mistakes(declared, changed)
    assert found == ["it changes its input [{'n': 2}]; leave out `changes_input = False`"]
