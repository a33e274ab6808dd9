"""The page on which a person calls the tasks of a server. It loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

CONTENT_TYPE = "text/html; charset=utf-8"


@cache
def page() -> bytes:
    """The page; its policy allows its own script and style by their hashes, and nothing else."""
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    for name in ("script", "style"):
        found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        assert found is not None  # it is our own file
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        text = text.replace(f"'{name.upper()}'", f"'sha256-{digest}'", 1)
    return text.encode()
