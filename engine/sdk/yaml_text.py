"""Plain values as the YAML that people write: for the reference, and for examples in messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def block(value: Mapping[str, Any]) -> str:
    """YAML on several lines, with multi-line strings as blocks."""
    return yaml.dump(value, Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True, width=100)


def inline(value: Any) -> str:
    """YAML on one line."""
    text = yaml.dump(
        value,
        Dumper=_ReadableDumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=10_000,
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _ReadableDumper(yaml.SafeDumper):
    """Writes YAML as people do: multi-line strings as blocks, no doubled quotes."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists are indented below their key

    def choose_scalar_style(self) -> str:
        style, event = super().choose_scalar_style(), self.event
        doubles = isinstance(event, yaml.ScalarEvent) and "'" in event.value
        return '"' if style == "'" and doubles else style


_ReadableDumper.add_representer(str, _ReadableDumper.represent_text)
