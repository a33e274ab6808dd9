"""The files in the guide to databases work."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from engine import api
from engine.registry import discover

GUIDE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")


def test_the_pipeline_orders_what_is_low(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL):
        named = re.match(r"# (\S+)\n", text)
        assert named is not None
        file = tmp_path / named[1]
        file.parent.mkdir()
        file.write_text(text)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.executescript(
            "CREATE TABLE parts (id INTEGER, stock INTEGER, reorder_at INTEGER);"
            "INSERT INTO parts VALUES (1, 5, 4), (2, 1, 4);"
            "CREATE TABLE orders (part INTEGER, count INTEGER);"
        )
    api.run(tmp_path / "pipelines/restock.yaml")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        assert database.execute("SELECT * FROM orders").fetchall() == [(2, 3)]


def test_every_snap_of_the_family_is_in_the_guide() -> None:
    named = set(re.findall(r"\[`(SQL\w+)`\]", GUIDE))
    assert named == {name for name in discover() if name.startswith("SQL")}
