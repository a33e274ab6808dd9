"""What is at a place of an expression: functions with their help, fields with sample values."""

from __future__ import annotations

import msgspec

from engine.expressions import functions, nodes
from engine.expressions.functions import Declaration
from engine.expressions.kinds import RECEIVERS
from engine.expressions.nodes import Node
from engine.expressions.places import nodes_at
from engine.language.expression_help import (
    FACTS,
    KEYWORDS,
    NAMESPACE_HELP,
    function_markdown,
    known_markdown,
)
from engine.language.expression_places import Form
from engine.language.known import Knowledge, Known, Locals, node_of


class Explained(msgspec.Struct, frozen=True):
    """Markdown about a part of an expression."""

    markdown: str
    offset: int
    length: int


def explain(text: str, offset: int, form: Form, knowledge: Knowledge) -> Explained | None:
    """Help on the part of an expression or path that is at the offset."""
    if form != "expression":
        markdown = known_markdown(knowledge.of_path(text))
        return Explained(f"**{text}**: {markdown}", 0, len(text)) if markdown else None
    around = nodes_at(node_of(text), min(offset + 1, len(text)))
    chain = [each for each in around if each.offset <= offset]
    if not chain:
        return None
    node = chain[-1]
    if isinstance(node, nodes.Root) and len(chain) > 1 and isinstance(chain[-2], nodes.Member):
        chain, node = chain[:-1], chain[-2]  # `$name` is one word
    found = knowledge.at(text, chain)
    if isinstance(node, nodes.Name):
        return _explained(node, _name(node.name, found))
    if isinstance(node, nodes.MethodCall):
        return _method(text, node, offset, found)
    if isinstance(node, nodes.Member):
        return _explained(node, _member(text, node, found))
    if isinstance(node, nodes.Index | nodes.Root):
        return _explained(node, _value(text, node, found.of(node)))
    return None


def _explained(node: Node, markdown: str) -> Explained | None:
    return Explained(markdown, node.offset, node.length) if markdown else None


def _name(name: str, found: Locals) -> str:
    if name in found.names:
        return _titled(name, found.names[name])
    if declared := functions.GLOBALS.functions.get(name):
        return function_markdown(declared)
    if family := functions.NAMESPACES.get(name):
        return f"**{name}**: {family.help}"
    if name.startswith("_") and name[1:] in found.knowledge.parameters:
        return found.knowledge.parameter_help.get(name[1:], "")
    if name == "lib":
        names = ", ".join(f"`{each}`" for each in found.knowledge.libraries)
        return f"**lib**: expression libraries: {names}" if names else ""
    text = NAMESPACE_HELP.get(name) or KEYWORDS.get(name, "")
    return f"**{name}**: {text}" if text else ""


def _member(text: str, node: nodes.Member, found: Locals) -> str:
    target = node.target
    if isinstance(target, nodes.Name) and target.name not in found.names:
        family = functions.NAMESPACES.get(target.name)
        if family and node.name in family.functions:
            return function_markdown(family.functions[node.name], f"{target.name}.")
        if family and node.name in family.constants:
            return f"**{target.name}.{node.name}**: `{family.constants[node.name]}`"
        if fact := FACTS.get(target.name, {}).get(node.name):
            return f"**{target.name}.{node.name}**: {fact}"
    return _value(text, node, found.of(node))


def _method(text: str, node: nodes.MethodCall, offset: int, found: Locals) -> Explained | None:
    """Help on a method, if the offset is in its name."""
    start = text.find(node.name, node.target.offset + node.target.length)
    if not start <= offset < start + len(node.name):
        return None
    declared = declaration_of(node, found)
    if declared is None:
        return None
    return Explained(function_markdown(*declared), start, len(node.name))


def declaration_of(
    node: nodes.Call | nodes.MethodCall, found: Locals
) -> tuple[Declaration, str] | None:
    """The function that a call means, and what stands before its name in its signature."""
    if isinstance(node, nodes.Call):
        name = node.function.name if isinstance(node.function, nodes.Name) else ""
        declared = None if name in found.names else functions.GLOBALS.functions.get(name)
        return (declared, "") if declared else None
    if isinstance(node.target, nodes.Name) and node.target.name not in found.names:
        family = functions.NAMESPACES.get(node.target.name)
        if family is not None:
            declared = family.functions.get(node.name)
            return (declared, f"{node.target.name}.") if declared else None
    methods = functions.METHODS.get(node.name, {})
    kind = found.of(node.target).kind
    cls = dict if kind == "object" else RECEIVERS.get(kind)
    known = [methods[cls]] if cls in methods else [] if cls else list(methods.values())
    return (known[0], "") if known else None


def _value(text: str, node: Node, known: Known) -> str:
    return _titled(text[node.offset : node.offset + node.length], known)


def _titled(title: str, known: Known) -> str:
    markdown = known_markdown(known)
    return f"**{title}**: {markdown}" if markdown else ""
