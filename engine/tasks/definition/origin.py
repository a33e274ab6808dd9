"""The origin of a web page, as a browser sends it."""

from __future__ import annotations

import re

_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#]+", re.IGNORECASE)


def is_origin(text: str) -> bool:
    """Whether a browser could send it as Origin; `*` counts too."""
    return _ORIGIN.fullmatch(text) is not None
