"""Scripts that need libraries, and the folders of their environments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.script.environment import name_of
from engine.sdk.scripts import Script
from tests.script.conftest import Opened

ENSURE = """
from snaplogic.tool import SLTool as slt
said = slt.ensure({arguments})
def snaplogic_init():
    import abacus
    return {{"version": abacus.version, "quiet": said == ""}}
"""


def run(opened: Opened, arguments: str, **facts: Any) -> dict[str, Any]:
    session = opened(ENSURE.format(arguments=arguments), **facts)
    [document] = session.start()
    session.close()
    return document


def folder_of(root: Path, **facts: Any) -> Path:
    return (
        root / "cache" / "environments" / name_of(Script("", **{"name": "scripts/x.py", **facts}))
    )
