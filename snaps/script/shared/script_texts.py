"""What all snaps that run scripts read and pass on."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.sdk import NO_LINEAGE, ConfigurationError, Context, json_hook


def text_of(content: str | bytes, name: str) -> str:
    """A script as text; `name` is for messages."""
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{name} is not UTF-8 text: byte {content[error.start]:#04x} at offset "
            f"{error.start}; save it as UTF-8"
        ) from error


def run_information(context: Context) -> dict[str, Any]:
    """What becomes `snaplogic_pipe`, in plain types: dates are text."""
    facts = {
        **context.pipe,
        "args": dict(context.parameters),
        "folder": context.folder,
        "request_id": context.request_ids([NO_LINEAGE])[0],
    }
    plain: dict[str, Any] = msgspec.to_builtins(facts, enc_hook=json_hook)
    return plain
