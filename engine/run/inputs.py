"""The inputs that the caller of a run gives, checked against the open inputs of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.documents import copied
from engine.errors import ConfigurationError
from engine.plan.plan import Plan, Port
from engine.run.observer import Source
from engine.sdk.plain_values import NotPlainError, plain


def inputs_by_port(plan: Plan, inputs: Mapping[str, Source]) -> dict[Port, Source]:
    """The source of each open input that is given. Raises ConfigurationError."""
    known = {str(port): port for port in plan.open_inputs}
    known |= {port.label: port for port in reversed(plan.open_inputs)}
    if unknown := [name for name in inputs if name not in known]:
        names = ", ".join(str(port) for port in plan.open_inputs) or "none"
        raise ConfigurationError(
            f"{unknown[0]!r} is not an open input; the open inputs are: {names}"
        )
    return {known[name]: _checked(name, items) for name, items in inputs.items()}


def _checked(name: str, items: Source) -> Source:
    """The items of an input, as plain documents. The caller's own documents are not changed."""
    if isinstance(items, Mapping | str | bytes):
        raise ConfigurationError(f"the input {name!r} must be a list of documents")
    if not isinstance(items, Sequence):
        return items
    checked = []
    for number, item in enumerate(items, 1):
        try:
            checked.append(plain(copied(item)) if isinstance(item, Mapping) else item)
        except NotPlainError as error:
            raise ConfigurationError(
                f"document {number} of the input {name!r}: {error}; {error.resolution}"
            ) from None
    return checked
