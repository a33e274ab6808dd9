"""The files that travel with a script."""

from __future__ import annotations

from engine.sdk import Context, ScriptModule
from snaps.script.shared.constraints import check_constraints
from snaps.script.shared.module_names import module_name
from snaps.script.shared.script_texts import text_of


def text_in(context: Context, file: str, kind: str) -> str:
    """The text of a file. Raises DataError if it is missing, ConfigurationError if not UTF-8."""
    return text_of(b"".join(context.files.read(file)), f"the {kind} in {file}")


def constraints_in(context: Context, file: str) -> str:
    """The constraints for pip in a file; empty without a file."""
    return check_constraints(text_in(context, file, "constraints file"), file) if file else ""


def module_in(context: Context, file: str) -> ScriptModule:
    """The module in a file, under its name."""
    source = text_in(context, file, "module")
    return ScriptModule(module_name(file), context.files.locate(file), source)
