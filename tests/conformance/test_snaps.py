"""Every built-in snap keeps the rules that documentation, editors and runners rely on."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import snaps
from engine.documents import StreamStart
from engine.registry import SnapClass, snaps_of
from engine.sdk import Example, Settings
from engine.sdk.settings import convert, settings_of
from engine.testing import CannedHttp, run_snap


def answers_one_by_one(snap: SnapClass) -> bool:
    """Whether a document gives documents on one output view, is dropped, or fails."""
    views = (*snap.views.inputs, *snap.views.outputs)
    are_documents = all(view.type == "document" for view in views)
    return not snap.stateful and are_documents and not snap.views.outputs[-1].many


SNAPS = sorted((snap.__name__, snap) for snap in snaps_of(snaps))
EXAMPLES = [
    pytest.param(snap, example, id=f"{name}: {example.title}")
    for name, snap in SNAPS
    for example in snap.examples
]
ONE_BY_ONE = [
    pytest.param(snap, example, id=f"{name}: {example.title}")
    for name, snap in SNAPS
    for example in snap.examples
    if answers_one_by_one(snap)
]
TESTS = Path(__file__).parents[1] / "snaps"

every_snap = pytest.mark.parametrize("snap", [pytest.param(snap, id=name) for name, snap in SNAPS])


def snake_case(name: str) -> str:
    """`JSONParser` -> `json_parser`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def file_of(snap: SnapClass) -> Path:
    return Path(inspect.getfile(snap))


@every_snap
def test_the_file_has_the_name_of_the_snap_and_holds_no_other(snap: SnapClass) -> None:
    assert file_of(snap).stem == snake_case(snap.__name__)
    assert sum(file_of(other) == file_of(snap) for _, other in SNAPS) == 1


@every_snap
def test_the_file_says_in_one_sentence_what_the_snap_is_for(snap: SnapClass) -> None:
    text = sys.modules[snap.__module__].__doc__ or ""
    purpose = text.split("\n\n")[0].strip()
    assert purpose.endswith(".")
    assert "\n" not in purpose


@every_snap
def test_there_is_a_test_file_of_the_snaps_name(snap: SnapClass) -> None:
    assert (TESTS / file_of(snap).parent.name / f"test_{file_of(snap).stem}.py").is_file()


def all_settings(cls: type[Settings]) -> Iterator[tuple[str, Any]]:
    yield from settings_of(cls).items()


@every_snap
def test_every_setting_has_a_name_and_a_help_like_the_others(snap: SnapClass) -> None:
    for name, fact in all_settings(snap.settings_class):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert fact.help.endswith("."), name
        assert fact.help[0].isupper() or fact.help.startswith("`"), name


@every_snap
def test_the_example_of_a_setting_is_a_value_for_it(snap: SnapClass) -> None:
    for name, fact in all_settings(snap.settings_class):
        if fact.example is not None:
            _, issues = convert(snap.settings_class, {name: fact.example})
            assert [issue for issue in issues if issue.code != "missing-setting"] == []


@every_snap
def test_a_snap_has_an_example_for_documentation(snap: SnapClass) -> None:
    titles = [example.title for example in snap.examples]
    assert titles
    assert len(set(titles)) == len(titles)


@every_snap
def test_views_have_names_of_their_own(snap: SnapClass) -> None:
    for views in (snap.views.inputs, snap.views.outputs):
        names = [view.name for view in views]
        assert len(set(names)) == len(names)
        assert "error" not in names


@every_snap
def test_facts_do_not_contradict_each_other(snap: SnapClass) -> None:
    facts = [
        snap.stateful,
        snap.single,
        snap.keeps_order,
        snap.replayable,
        snap.blocking,
    ]
    assert all(isinstance(fact, bool) for fact in facts)
    assert not (snap.single and not snap.stateful and snap.replayable), (
        "what holds nothing and may be run again may run in several copies"
    )


def by_view(items: Any, default: str) -> Mapping[str, Sequence[Any]]:
    if isinstance(items, Mapping):
        return items
    return {default: items} if items else {}


def located(items: Any, project: Path) -> Any:
    """The items with file names as a run in `project` gives them."""
    if isinstance(items, dict):
        return {
            key: str(project / value)
            if key in ("filename", "content-location")
            else located(value, project)
            for key, value in items.items()
        }
    if isinstance(items, list | tuple):
        return [located(item, project) for item in items]
    if isinstance(items, StreamStart):
        return StreamStart(located(items.header, project))
    return items


@pytest.mark.parametrize(("snap", "example"), EXAMPLES)
def test_examples_do_what_they_say(snap: SnapClass, example: Example, tmp_path: Path) -> None:
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    expected = by_view(example.expect, "output")
    result = run_snap(
        snap,
        example.settings,
        example.given or None,
        on_error=example.on_error,  # type: ignore[arg-type]
        parameters=example.parameters,
        http=CannedHttp(example.answers),
        outputs=sorted(expected.keys() - {"error"}) or None,
        project=tmp_path,
    )
    assert result.outputs == {name: located(items, tmp_path) for name, items in expected.items()}
    for name, text in example.leaves.items():
        assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize(("snap", "example"), ONE_BY_ONE)
def test_every_document_is_accounted_for(snap: SnapClass, example: Example, tmp_path: Path) -> None:
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    result = run_snap(
        snap,
        example.settings,
        example.given or None,
        on_error="discard",
        parameters=example.parameters,
        http=CannedHttp(example.answers),
        project=tmp_path,
    )
    account = result.statistics
    assert account.documents_out + account.dropped + account.errors >= account.documents_in


@every_snap
def test_no_input_is_no_failure(snap: SnapClass, tmp_path: Path) -> None:
    example = snap.examples[0]
    for name, text in example.files.items():
        (tmp_path / name).write_text(text)
    given: dict[str, list[Any]] = {
        view.name + "0" * view.many: [] for view in snap.views.inputs if not view.optional
    }
    result = run_snap(
        snap,
        example.settings,
        given,
        parameters=example.parameters,
        http=CannedHttp(example.answers),
        project=tmp_path,
    )
    assert (result.errors, result.dropped) == ([], 0)
