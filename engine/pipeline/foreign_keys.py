"""Keys and forms that people know from other YAML-configured tools, with hints what to write."""

from __future__ import annotations

from collections.abc import Collection

from engine.hints import Hint, Replacement
from engine.late_regex import late_regex
from engine.pipeline.nodes import Items, Node, Scalar, Table
from engine.sdk.dialects import boolean_hint

GLUED = late_regex(r"(?P<key>[A-Za-z_]\w*):(?P<value>\S.*)")
"""A key without the space that YAML requires after its colon."""

TYPE_KEYS = ("type", "kind", "uses", "processor", "class", "name")
SNAP_KEYS = (
    "snap",
    "label",
    "on_error",
    "mode",
    "open_input",
    "open_output",
    "unsupported",
)
ORDER_KEYS = ("depends_on", "needs", "after", "next", "inputs", "input_from")
_SNAPS = "the snaps of a pipeline go under 'snaps:', each with its own label"
_LINKS = "links go under 'links:', such as '- read -> write'"
_PARAMETERS = "values that the caller passes go under 'parameters:'"
TOP_LEVEL = {
    **dict.fromkeys(
        ("steps", "jobs", "nodes", "services", "tasks", "stages", "processors"), _SNAPS
    ),
    **dict.fromkeys(("input", "output", "sources", "sinks", "transforms", "flow"), _SNAPS),
    **dict.fromkeys(("edges", "connections", "connectors", "depends_on"), _LINKS),
    **dict.fromkeys(("env", "environment", "vars", "variables", "params", "args"), _PARAMETERS),
    "name": "the name of a pipeline is written 'pipeline: NAME'",
    "title": "the name of a pipeline is written 'pipeline: NAME'",
    "metadata": "the name of a pipeline is written 'pipeline: NAME'",
    **dict.fromkeys(
        ("version", "apiVersion", "kind", "spec"),
        "a pipeline file has no such header; remove it",
    ),
}
CHOICES = {
    "fail": "stop",
    "error": "stop",
    "continue": "route",
    "ignore": "discard",
    "skip": "discard",
    "drop": "discard",
    "disable": "disabled",
    "off": "disabled",
}
"""SnapLogic's and others' words for the choices of `on_error` and `mode`."""
_ARROWS = late_regex(r"\s*(?:-+\s*>+|=+\s*>|→|⇒|➜|>+|\|)\s*")


def list_of_snaps_hint(node: Items) -> str:
    """How to turn a list of snaps into a map."""
    first = node.items[0] if node.items else None
    if isinstance(first, Table) and len(first.entries) == 1:
        (label, entry) = next(iter(first.entries.items()))
        if isinstance(entry.value, Table):
            return f"remove the '-' before each label, such as the one before '{label}:'"
    kind = first.entries.get("snap") if isinstance(first, Table) else None
    snap = kind.value.text if kind and isinstance(kind.value, Scalar) else "FileReader"
    return f"give each snap a label instead of its '-': 'first: {{snap: {snap}, ...}}'"


def link_hint(node: Node) -> str:
    """How to write a link given as a map or a list as a string."""
    ends: list[str] = []
    if isinstance(node, Items):
        ends = [item.text for item in node.items if isinstance(item, Scalar)]
    elif isinstance(node, Table):
        found = [_end(node, ("from", "source", "src")), _end(node, ("to", "target", "dst"))]
        ends = [end for end in found if end]
        if not ends and len(node.entries) == 1:
            (start, entry) = next(iter(node.entries.items()))
            ends = [start, entry.value.text] if isinstance(entry.value, Scalar) else []
    return f"write it as '{' -> '.join(ends)}'" if len(ends) > 1 else "write it as 'a -> b'"


def arrow_hint(text: str) -> str:
    """The link with the intended arrow; empty if nothing in it looks like one."""
    ends = arrow_ends(text)
    link = " -> ".join(ends)
    return Hint(f"write '{link}'", [Replacement(link, text)]) if ends else ""


def arrow_ends(text: str) -> list[str]:
    """What stands between the arrows of any notation; empty if nothing looks like an arrow."""
    ends = [end.strip() for end in _ARROWS.split(text)]
    return ends if len(ends) > 1 and all(ends) else []


def flag_hint(node: Node | None) -> str:
    """How a boolean of another dialect is written."""
    return boolean_hint(node.text, quoted=bool(node.style)) if isinstance(node, Scalar) else ""


def _end(node: Table, names: Collection[str]) -> str:
    found = (node.entries[name].value for name in names if name in node.entries)
    return next((value.text for value in found if isinstance(value, Scalar)), "")
