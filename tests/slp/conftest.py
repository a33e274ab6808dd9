"""Import, export and run from the command line, within the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from tests.slp.exports import write

Import = Callable[..., str]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """The YAML that `engine import` makes of an export called orders.slp."""

    def run(content: Any, *, expect: int = 0) -> str:
        source = write(tmp_path / "exports", "orders.slp", content)
        assert main(["import", str(source), "-o", str(tmp_path / "project")]) == expect
        return (tmp_path / "project" / "orders.yaml").read_text()

    return run
