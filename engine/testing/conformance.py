"""The rules that documentation, editors and runners rely on, as checks of one snap.

`pytest` runs the examples of the snap files that it collects, and with `--snap-conformance` all of
these checks (see docs/writing-a-snap.md). A failed check raises AssertionError with the reason.
"""

from __future__ import annotations

import inspect
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from engine.documents import Batch, StreamStart, copied
from engine.numbers import with_decimals
from engine.pipeline.foreign_keys import SNAP_KEYS
from engine.registry import SnapClass
from engine.registry.files import snake_case
from engine.sdk import Emission, Example, Snap
from engine.sdk.conversion import convert
from engine.sdk.facts import category_of
from engine.sdk.setting_paths import type_at, words_of
from engine.sdk.settings import settings_of
from engine.testing.http import CannedHttp
from engine.testing.kit import SnapRun, run_snap, views_of
from engine.testing.steps import check_steps

_DIGITS = "0123456789"


class Check(NamedTuple):
    """One check; `run` gets an empty project folder."""

    title: str
    run: Callable[[Path], None]


def example_checks(snap: SnapClass) -> Iterator[Check]:
    """One check per example: it produces what it says."""
    for example in snap.examples:
        yield Check(example.title, partial(_check_example, snap, example))


def conformance_checks(snap: SnapClass) -> Iterator[Check]:
    """All checks: the examples, and the rules for every snap."""
    yield from example_checks(snap)
    for rule in _RULES:
        yield Check(_title(rule), partial(_apply, rule, snap))
    if snap.examples:
        yield Check(_title(_no_input_is_no_failure), partial(_no_input_is_no_failure, snap))
    for example in snap.examples:
        title = f"the steps do what the snap does: {example.title}"
        yield Check(title, partial(check_steps, snap, example))
    if _answers_one_by_one(snap):
        for example in snap.examples:
            title = f"every document is accounted for: {example.title}"
            yield Check(title, partial(_check_account, snap, example))
    if not snap.changes_input:
        for example in snap.examples:
            title = f"its input stays as it is: {example.title}"
            yield Check(title, partial(_check_input, snap, example))


def _apply(rule: Callable[[SnapClass], None], snap: SnapClass, project: Path) -> None:
    rule(snap)


def _title(rule: Callable[..., None]) -> str:
    return rule.__name__.strip("_").replace("_", " ")


def _require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _check_example(snap: SnapClass, example: Example, project: Path) -> None:
    expected = {
        name: _located(items, project) for name, items in _by_view(example.expect, "output").items()
    }
    outputs = sorted(expected.keys() - {"error"}) or None
    result = _run(snap, example, project, on_error=example.on_error, outputs=outputs)
    for view in sorted(expected.keys() | result.outputs.keys()):
        given, wanted = result.outputs.get(view, []), with_decimals(list(expected.get(view, [])))
        _require(
            _are_alike(given, wanted),
            f"{snap.__name__}, {example.title!r}: the view {view!r} produced\n"
            f"  {given!r}\nbut the example expects\n  {wanted!r}",
        )
    for name, text in example.leaves.items():
        file = project / name
        left = file.read_text() if file.is_file() else None
        _require(
            left == text,
            f"{snap.__name__}, {example.title!r}: the file {name!r} contains\n"
            f"  {left!r}\nbut the example expects\n  {text!r}",
        )


def _are_alike(given: Any, wanted: Any) -> bool:
    """Whether two values are equal as values of JSON: in Python, true equals 1."""
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(
            _are_alike(value, wanted[name]) for name, value in given.items()
        )
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(_are_alike, given, wanted))
    return bool(given == wanted)


def _run(
    snap: SnapClass,
    example: Example,
    project: Path,
    *,
    given: Any = None,
    on_error: Any = "stop",
    outputs: Sequence[str] | None = None,
) -> SnapRun:
    for name, text in example.files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    for name, script in example.databases.items():
        _make_database(project / name, script)
    return run_snap(
        snap,
        example.settings,
        given if given is not None else example.given or None,
        on_error=on_error,
        parameters=example.parameters,
        http=CannedHttp(example.answers),
        accounts=example.accounts,
        outputs=outputs,
        project=project,
        exact=True,
    )


def _make_database(file: Path, script: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script)


def _by_view(items: Any, default: str) -> Mapping[str, Sequence[Any]]:
    """The items of an example by view."""
    if isinstance(items, Mapping):
        return items
    return {default: items} if items else {}


def _located(items: Any, project: Path) -> Any:
    """The items with file names as a run in `project` reports them."""
    if isinstance(items, str):
        return items.replace("<project>", str(project))
    if isinstance(items, dict):
        return {
            key: str(project / value)
            if key in ("filename", "content-location") and "zip-filename" not in items
            else _located(value, project)
            for key, value in items.items()
        }
    if isinstance(items, list | tuple):
        return [_located(item, project) for item in items]
    if isinstance(items, StreamStart):
        return StreamStart(_located(items.header, project))
    return items


def _the_file_is_named_after_the_snap_and_holds_no_other(snap: SnapClass) -> None:
    file = Path(inspect.getfile(snap))
    wanted = f"{snake_case(snap.__name__)}.py"
    _require(file.name == wanted, f"{snap.__name__} must be in {wanted}, but is in {file}")
    others = [
        name
        for name, value in vars(sys.modules[snap.__module__]).items()
        if isinstance(value, type)
        and issubclass(value, Snap)
        and value.__module__ == snap.__module__
        and value is not snap
    ]
    _require(not others, f"{file} also contains other snaps: {', '.join(others)}")


def _the_file_says_in_one_sentence_what_the_snap_is_for(snap: SnapClass) -> None:
    text = sys.modules[snap.__module__].__doc__ or ""
    purpose = text.split("\n\n")[0].strip()
    _require(
        purpose.endswith(".") and "\n" not in purpose,
        f"the docstring of {snap.__module__} must begin with one sentence on a line of its own",
    )


def _every_setting_has_a_name_and_a_help(snap: SnapClass) -> None:
    for name, fact in settings_of(snap.settings_class).items():
        _require(
            re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name),
            f"the setting {name!r} must be in lower case with underscores",
        )
        _require(
            fact.help.endswith(".") and (fact.help[0].isupper() or fact.help[0] == "`"),
            f"the setting {name!r} needs a sentence as help: setting(help=...)",
        )
        _require(name not in SNAP_KEYS, f"every snap has the key {name!r}; rename the setting")


def _the_example_of_a_setting_is_a_value_for_it(snap: SnapClass) -> None:
    for name, fact in settings_of(snap.settings_class).items():
        if fact.example is not None:
            _, issues = convert(snap.settings_class, {name: fact.example})
            wrong = [issue.message for issue in issues if issue.code != "missing-setting"]
            _require(not wrong, f"the example of the setting {name!r} does not fit: {wrong}")


def _there_are_examples_with_titles_of_their_own(snap: SnapClass) -> None:
    titles = [example.title for example in snap.examples]
    _require(titles, f"{snap.__name__} has no examples")
    _require(len(set(titles)) == len(titles), f"two examples have the same title: {titles}")


def _views_have_names_of_their_own(snap: SnapClass) -> None:
    for views in (snap.views.inputs, snap.views.outputs):
        names = [view.name for view in views]
        _require(len(set(names)) == len(names), f"two views have the same name: {names}")
        _require("error" not in names, "do not declare a view 'error'; every snap has one")


def _facts_do_not_contradict_each_other(snap: SnapClass) -> None:
    _require(
        not (snap.single and not snap.stateful and snap.replayable),
        "a snap that holds nothing and may be run again may run in several copies: single = False",
    )


def _category_and_version_are_words(snap: SnapClass) -> None:
    category = category_of(snap)
    _require(
        re.fullmatch(r"[a-z][a-z0-9_]*", category),
        f"the category {category!r} must be in lower case with underscores",
    )
    _require(
        re.fullmatch(r"(\d+(\.\d+)+)?", snap.since),
        f"since must be a version such as '1.2', not {snap.since!r}",
    )


def _what_it_stands_for_in_SnapLogic_leads_to_its_settings(snap: SnapClass) -> None:  # noqa: N802
    foreign = snap.foreign
    if foreign is None:
        return
    _require(foreign.class_id and foreign.name, "foreign needs a class id and a name")
    names = {*foreign.settings.values(), *foreign.files.values()}
    unknown = sorted(name for name in names if type_at(snap.settings_class, name) is None)
    _require(not unknown, f"foreign maps to unknown settings: {', '.join(unknown)}")
    _require(not (found := next(foreign.contradictions(), "")), f"foreign: {found}")
    for key, words in foreign.choices.items():
        name = foreign.settings.get(key, "")
        accepted = words_of(type_at(snap.settings_class, name)) or tuple(words.values())
        wrong = sorted(str(word) for word in words.values() if word not in accepted)
        _require(not wrong, f"the setting {name!r} has no such choices: {', '.join(wrong)}")
    views = [view for side in (snap.views.inputs, snap.views.outputs) for view in side]
    known = {view.name for view in views}
    strange = sorted(
        name for name in foreign.views.values() if not {name, name.rstrip(_DIGITS)} & known
    )
    _require(not strange, f"foreign names unknown views: {', '.join(strange)}")


def _no_input_is_no_failure(snap: SnapClass, project: Path) -> None:
    given: dict[str, list[Any]] = {}
    for view in views_of(snap, snap.examples[0].settings).inputs:
        if view.many:
            given |= {f"{view.name}{number}": [] for number in range(max(1, view.minimum))}
        elif not view.optional:
            given[view.name] = []
    result = _run(snap, snap.examples[0], project, given=given)
    _require(
        (result.errors, result.dropped) == ([], 0),
        f"without input it produced errors {result.errors} and dropped {result.dropped}",
    )


def _answers_one_by_one(snap: SnapClass) -> bool:
    """Whether each document yields documents on one output view, is dropped, or fails."""
    views = (*snap.views.inputs, *snap.views.outputs)
    are_documents = all(view.type == "document" for view in views)
    forks = any(view.many for view in snap.views.outputs[-1:])
    return not snap.stateful and are_documents and not forks


def _check_account(snap: SnapClass, example: Example, project: Path) -> None:
    account = _run(snap, example, project, on_error="discard").statistics
    seen = account.documents_out + account.dropped + account.errors
    _require(
        seen >= account.documents_in,
        f"{account.documents_in} documents came in, but {seen} came out, were dropped or failed",
    )


def _check_input(snap: SnapClass, example: Example, project: Path) -> None:
    """A snap that declares `changes_input = False` leaves lists and maps in its input alone."""
    changed: list[Any] = []

    def process_batch(self: Snap[Any], view: str, batch: Batch) -> Emission:
        before = copied(batch.items)
        emission = snap.process_batch(self, view, batch)
        if not isinstance(emission, Batch | Mapping | None):
            emission = list(emission)
        pairs = zip(before, batch.items, strict=True)
        changed.extend(arrived for arrived, now in pairs if arrived != now)
        return emission

    watched = type(snap.__name__, (snap,), {"process_batch": process_batch})
    _run(watched, example, project, on_error="discard")
    _require(not changed, f"it changes its input {changed[:1]}; leave out `changes_input = False`")


_RULES = (
    _the_file_is_named_after_the_snap_and_holds_no_other,
    _the_file_says_in_one_sentence_what_the_snap_is_for,
    _every_setting_has_a_name_and_a_help,
    _the_example_of_a_setting_is_a_value_for_it,
    _there_are_examples_with_titles_of_their_own,
    _views_have_names_of_their_own,
    _facts_do_not_contradict_each_other,
    _category_and_version_are_words,
    _what_it_stands_for_in_SnapLogic_leads_to_its_settings,
)
