"""The characters that CSV is written with, as settings."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import ConfigurationError, Context, Evaluated, Issue

_ESCAPED = {"\\t": "\t", "\\\\": "\\", '\\"': '"'}


def check_characters(**settings: Evaluated[str]) -> Iterable[Issue]:
    """The mistakes in the delimiter, the quote and the escape character, given by name."""
    seen: dict[str, str] = {}
    for name, setting in settings.items():
        if setting.value is None:  # an expression
            continue
        try:
            found = _character(name, setting.value)
        except ConfigurationError as error:
            yield Issue((name,), str(error))
            continue
        if found and found in seen:
            yield Issue(
                (name,),
                f"{name} is the same character as {seen[found]}: {found!r}",
                "choose another character for one of them",
            )
        seen.setdefault(found, name)


def character(context: Context, name: str, setting: Evaluated[str]) -> str:
    """The character of a setting, or an empty string. Raises ConfigurationError."""
    return _character(name, context.value(setting, {}))


def _character(name: str, text: str) -> str:
    text = _ESCAPED.get(text, text)
    if not text and name != "delimiter":
        return ""
    if len(text) > 1 and name == "quote_character":
        text = text[0]  # as SnapLogic does
    if len(text) != 1 or text in "\r\n":
        raise ConfigurationError(
            f"{name} must be one character, not {text!r:.40}; write one, or \\t for a tab"
        )
    return text
