"""Libraries that only some snaps need, installed as extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from engine.sdk import ConfigurationError


def library(name: str, *, extra: str, snap: str) -> Any:
    """The module of an optional library. Raises ConfigurationError if it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ConfigurationError(
            f"{snap} needs {package}, which is not installed; "
            f"install it with: pip install 'snapline[{extra}]'"
        ) from None
