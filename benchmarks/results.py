"""What a run of the benchmarks found: printed as tables, kept as JSON, and shown in the README."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One figure of the engine next to those of its rivals, measured in the same run."""

    title: str
    figures: dict[str, float]
    """The engine first."""
    ratio: float
    goal: float | None = None


class Section(msgspec.Struct, frozen=True):
    """Rows of one kind."""

    title: str
    unit: str
    """Of the figures."""
    ratio: str
    """What the ratios of the rows are, such as `orjson / Snapline`."""
    rows: list[Row]
    at_least: bool = False
    """Whether goals are the smallest ratios that are good enough, or the largest."""

    def columns(self) -> list[str]:
        """The names of all figures, in the order in which they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row.figures))

    def goal(self, row: Row) -> str:
        if row.goal is None:
            return ""
        is_met = row.ratio >= row.goal if self.at_least else row.ratio <= row.goal
        return f"{'≥' if self.at_least else '≤'} {row.goal:g}{'' if is_met else ' MISSED'}"


class Results(msgspec.Struct, frozen=True):
    """One run of the benchmarks, on one machine."""

    machine: str
    python: str
    quick: bool
    sections: list[Section]

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")

    @classmethod
    def read(cls, file: Path) -> Results:
        return msgspec.json.decode(file.read_bytes(), type=cls)


def machine() -> str:
    """The processor and the number of its cores, for example `Intel Xeon, 2 cores`."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores"
