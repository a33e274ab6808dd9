"""Each snap goes to SnapLogic's format and back with every setting that it has there.

The settings are those of the snap's examples and generated ones that differ from the defaults. What
SnapLogic has no place for must be named when exporting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations, count, product
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest

from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import discover
from engine.sdk.conversion import convert
from engine.sdk.facts import Foreign
from engine.sdk.setting_paths import evaluated_type
from engine.sdk.settings import (
    Account,
    Expression,
    Path,
    SettingFacts,
    Settings,
    settings_of,
)
from engine.slp.export_file import read_export
from engine.slp.pipeline_export import export_pipeline
from engine.slp.pipeline_import import ImportContext, import_pipeline
from engine.slp.project_import import file_finder
from engine.slp.templates import without_comments
from engine.slp.yaml_text import to_yaml

REGISTRY = discover()
NAMES = [name for name in REGISTRY if REGISTRY[name].foreign is not None]
_ELSEWHERE = ("missing-file", "unknown-account", "unsupported-snap", "unsupported-setting")


def _generated(kind: Any, default: Any, number: Iterator[int]) -> Iterator[Any]:
    """Values of a type that differ from a default; the first valid one is used."""
    if get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _generated(each, default, number)
        return
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    is_class = isinstance(origin, type)
    if is_class and issubclass(origin, Account):
        yield "an_account"
    elif (inner := evaluated_type(kind)) is not None:
        yield from _generated(inner, getattr(default, "value", None), number)
    elif origin is Literal:
        yield from (word for word in arguments if word != default)
    elif kind is bool:
        yield not default
    elif kind in (int, float):
        yield from (next(number), 1, 3, 50)
    elif kind in (str, Any):
        yield from (f"text{next(number)}", "~", "ISO-8859-1", "02-01-2020", "{}", "# x\ny = 1")
    elif kind is Expression:
        yield f"$field{next(number)}"
    elif is_class and issubclass(origin, Path):
        yield f"$path{next(number)}"
    elif is_class and issubclass(origin, Settings):
        yield _row(origin, number)
        yield _row(origin, number, required_only=True)
    elif origin in (dict, Mapping):
        for value in _generated(arguments[1], None, number):
            yield {next(_generated(arguments[0], None, number)): value}
    elif origin in (tuple, list):
        for item in _generated(arguments[0], None, number):
            yield [item]


def _row(cls: type[Settings], number: Iterator[int], *, required_only: bool = False) -> Any:
    facts = [each for each in settings_of(cls).values() if each.required or not required_only]
    made = {each.name: next(_generated(each.type, each.default, number), None) for each in facts}
    return {name: value for name, value in made.items() if value is not None}


@cache
def _settings(name: str) -> list[dict[str, Any]]:
    """For each valid example, as many settings as are valid together with its own."""
    snap = REGISTRY[name]
    facts = [f for f in settings_of(snap.settings_class).values() if f.name in _known(name)]
    found = []
    for given in [{}, *(dict(example.settings) for example in snap.examples[:3])]:
        settings: dict[str, Any] = given
        number = count(1000 * NAMES.index(name))
        for fact in facts:
            settings = next(_with(name, settings, [fact], number), settings)
        for fact, other in combinations(facts, 2):
            settings = next(_with(name, settings, [fact, other], number), settings)
        if not _errors(name, settings):
            found.append(settings)
    return found


def _with(
    name: str, settings: dict[str, Any], facts: list[SettingFacts], number: Iterator[int]
) -> Iterator[dict[str, Any]]:
    """The settings with valid values for these ones, unless they have one already."""
    if any(fact.name in settings for fact in facts):
        return
    choices = [list(_generated(f.type, f.default, number))[: 6 // len(facts)] for f in facts]
    for values in product(*choices):
        added = dict(zip((fact.name for fact in facts), values, strict=True))
        if not _errors(name, settings | added):
            yield settings | added


def _foreign(name: str) -> Foreign:
    foreign = REGISTRY[name].foreign
    assert foreign is not None
    return foreign


def _known(name: str) -> set[str]:
    foreign = _foreign(name)
    targets = [*foreign.settings.values(), *foreign.json.values()]
    return {target.partition(".")[0].partition("[]")[0] for target in targets} | {"account"}


def _pipeline(snaps: Mapping[str, Mapping[str, Any]]) -> str:
    """The YAML of a pipeline in which each snap is linked to what it needs."""
    entries: dict[str, Any] = {}
    links = []
    for name, settings in snaps.items():
        label = f"the_{name.lower()}"
        entries[label] = {"snap": name, **settings}
        converted, _ = convert(REGISTRY[name].settings_class, settings)
        if converted is None:
            continue
        views = REGISTRY[name].views_for(converted)
        for view in views.inputs:
            if view.optional or view.starts_by_itself:
                continue
            for member in range(max(view.minimum, 1)) if view.many else [""]:
                source = f"{label}_{view.name}{member}"
                entries[source] = (
                    {"snap": "FileReader", "file": "data.bin"}
                    if view.type == "binary"
                    else {"snap": "JSONGenerator", "documents": [{"id": 1}]}
                )
                links.append(f"{source} -> {label}.{view.name}{member}")
        for view in views.outputs:
            if view.many and view.minimum:
                is_binary = view.type == "binary"
                entries[f"{label}_after"] = (
                    {"snap": "FileWriter", "file": "copy.bin"} if is_binary else {"snap": "Union"}
                )
                links.append(f"{label} -> {label}_after")
    content: dict[str, Any] = {"pipeline": "Every snap", "snaps": entries}
    return to_yaml(content | ({"links": links} if links else {}))


def _errors(name: str, settings: Mapping[str, Any]) -> list[str]:
    problems = check_spec(parse(_pipeline({name: settings})), REGISTRY)
    return [p.message for p in problems if p.severity == "error" and p.code not in _ELSEWHERE]


def _exported(text: str) -> tuple[bytes, tuple[str, ...]]:
    made = export_pipeline(parse(text, "every.yaml"), REGISTRY)
    return made.content, made.warnings


def _imported(content: bytes) -> str:
    context = ImportContext(
        REGISTRY, REGISTRY.by_foreign_id(), file_finder({}), lambda file: file, inline=True
    )
    structure = context.structure(read_export(content, "every.slp"))
    return import_pipeline(structure, context, "every").text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield str(value)


def _is_kept(written: Any, found: Any, mark: str) -> bool:
    """Whether all of a setting is there: `x` stands for `[x]`, and `x.yaml` for `x`. `mark` may be
    left out of a value."""
    kept = "\n".join(_leaves(found))
    return all(without_comments(leaf).removeprefix(mark) in kept for leaf in _leaves(written))


@pytest.mark.parametrize("name", NAMES)
def test_a_snap_comes_back_from_an_export_with_its_settings(name: str) -> None:
    cls = REGISTRY[name].settings_class
    label = f"the_{name.lower()}"
    mark = "$" if _foreign(name).names else ""
    assert _settings(name)
    for settings in _settings(name):
        content, warnings = _exported(_pipeline({name: settings}))
        text = _imported(content)
        imported = parse(text).snaps[label]
        before, _ = convert(cls, settings)
        said = "\n".join(warnings)
        if _errors(name, imported.settings):  # it lacks something that SnapLogic has no place for
            assert f"{label}: " in said
            continue
        after, _ = convert(cls, imported.settings)
        for each, value in settings.items():
            is_same = getattr(before, each) == getattr(after, each)
            if each in _foreign(name).ports.values():
                value = list(value.values())  # views that are alone are called input and output
            is_kept = is_same or _is_kept(value, imported.settings.get(each), mark)
            assert is_kept or repr(each) in said, (each, value, imported.settings)
        assert not imported.unsupported
        assert _imported(_exported(text)[0]) == text


def test_a_pipeline_with_every_snap_is_the_same_after_a_second_export() -> None:
    settings = {name: _settings(name)[0] for name in NAMES}
    text = _imported(_exported(_pipeline(settings))[0])
    assert _imported(_exported(text)[0]) == text
    assert all(f"snap: {name}" in text for name in NAMES)
