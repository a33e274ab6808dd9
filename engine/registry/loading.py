"""Imports a snap's module, and explains what is wrong with it: file, line, class."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from engine.errors import NotASnapError, UnusableSnapError
from engine.registry.files import NOT_DERIVED, SnapFile
from engine.sdk.facts import Foreign
from engine.sdk.parallel import ByKey, ByRun, Once
from engine.sdk.settings import SettingFacts, Settings, rows_in, settings_of, shown
from engine.sdk.snap import Example, Snap
from engine.sdk.views import Views

SnapClass = type[Snap[Any]]


def load(file: SnapFile) -> SnapClass:
    """The snap class of a file. Raises UnusableSnapError."""
    name = file.snap_name
    try:
        module = importlib.import_module(file.module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # third-party code may raise anything
        raise _not_imported(file, error) from error
    found = getattr(module, name, None)
    place = f"{file.path}:{file.classes[name].line}"
    if not (isinstance(found, type) and issubclass(found, Snap)):
        raise NotASnapError(f"the class {name} in {place} is not a snap", NOT_DERIVED)
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise UnusableSnapError(
            f"the class {name} in {place} is abstract", f"define {', '.join(missing)} in it"
        )
    _check_facts(found, place)
    _check_settings(found, place)
    return found


def _check_facts(snap: SnapClass, place: str) -> None:
    for name, (is_right, kind) in _FACTS.items():
        value = getattr(snap, name)
        if not is_right(value):
            raise UnusableSnapError(
                f"the class {snap.__name__} in {place} sets {name} to {shown(value)}",
                f"its type must be {kind}",
            )


def _of_type(kind: type) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, kind), kind.__name__


def _are_examples(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(item, Example) for item in value)


def _is_settings_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Settings)


_FACTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    name: _of_type(type(value))
    for name in Snap.__annotations__
    if isinstance(value := getattr(Snap, name, None), str | bool | Views)
} | {
    "examples": (_are_examples, "a tuple of Example, such as (Example(...),)"),
    "parallel": (
        lambda value: isinstance(value, str | ByKey | ByRun | Once),
        "str, ByKey, ByRun or Once",
    ),
    "foreign": (lambda value: value is None or isinstance(value, Foreign), "Foreign"),
    "settings_class": (_is_settings_class, "a subclass of Settings"),
}
"""For each attribute that describes a snap, whether a value is right, and its type."""


def _check_settings(snap: SnapClass, place: str) -> None:
    for settings in _settings_classes(snap.settings_class):
        what = f"the settings class {settings.__name__} of {snap.__name__} in {place} is broken"
        try:
            facts = settings_of(settings)
        except Exception as error:  # annotations are code
            message = f"{what}: {describe(error)}"
            raise UnusableSnapError(message, "fix the annotations of the settings class") from error
        for fact in facts.values():
            if reason := _misfit(fact):
                raise UnusableSnapError(
                    f"{what}: the default of {fact.name!r} is {shown(fact.default)}: {reason}",
                    "give it a default of its type, or none",
                )


def _misfit(fact: SettingFacts) -> str:
    """Why the default of a setting is not a value of its type; empty if it is one."""
    if fact.required:
        return ""
    try:
        msgspec.convert(fact.default, fact.type)
    except msgspec.ValidationError as error:
        return str(error).replace("`object`", f"`{_named(fact.type)}`")
    except TypeError:  # a type that this function cannot check
        return ""
    return ""


def _named(kind: Any) -> str:
    """A type as one writes it: msgspec calls types that it does not know `object`."""
    return (
        kind.__name__ if isinstance(kind, type) else str(kind).replace("engine.sdk.settings.", "")
    )


def _settings_classes(settings: type[Settings]) -> Iterator[type[Settings]]:
    """A settings class and those of its rows, outer ones first."""
    yield settings
    for fact in settings_of(settings).values():
        for row in rows_in(fact.type):
            if row is not settings:
                yield from _settings_classes(row)


def _not_imported(file: SnapFile, error: BaseException) -> UnusableSnapError:
    path, line = place_of(error, file)
    message = f"cannot load the snap {file.snap_name}: {path}:{line}: {describe(error)}"
    hint = "fix that line, or update the package that contains the snap"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = file.module.partition(".")[0]
        if error.name.partition(".")[0] == package:
            hint = f"correct the import: the package {package!r} has no such module"
        else:
            hint = f"install the package that provides the module {error.name!r}"
    return UnusableSnapError(message, hint)


def describe(error: BaseException) -> str:
    """The exception's class and message."""
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # noqa: BLE001  # its __str__ is third-party code, too
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def place_of(error: BaseException, file: SnapFile) -> tuple[str, int]:
    """Where a module failed: the syntax error, or the innermost line of the snap's own package."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 1
    places = list(_places(error.__traceback__))
    own = [place for place in places if file.root in (Path(place[0]), *Path(place[0]).parents)]
    return (own or places or [(file.path, 1)])[-1]


def _places(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    """File and line of each frame outside the import system and this module."""
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if not path.startswith("<frozen") and path != importlib.__file__ and path != __file__:
            yield path, trace.tb_lineno
        trace = trace.tb_next
