"""The names of pin files, by which commands tell them from pipeline files."""

from __future__ import annotations

from pathlib import Path

_SUFFIXES = (".preview.yaml", ".preview.yml")


def is_pin_file(path: str | Path) -> bool:
    """Whether its name is that of a pin file."""
    return Path(path).name.endswith(_SUFFIXES)


def pin_file(pipeline: str | Path) -> str:
    """The pin file of a pipeline: `orders.preview.yaml` beside `orders.yaml`."""
    path = Path(pipeline)
    names = [str(path.with_name(f"{path.stem}{suffix}")) for suffix in _SUFFIXES]
    return next((name for name in names if Path(name).is_file()), names[0])


def pipeline_of(pins: str | Path) -> str:
    """The pipeline that a pin file belongs to."""
    path = Path(pins)
    suffix = next((each for each in _SUFFIXES if path.name.endswith(each)), path.suffix)
    stem = path.name.removesuffix(suffix)
    beside = [path.with_name(stem + end) for end in (".yaml", ".yml", ".slp")]
    return str(next(filter(Path.is_file, beside), beside[0]))
