"""What a user may have meant by the name of a file that does not exist."""

from __future__ import annotations

from pathlib import Path

_PIPELINES = (".yaml", ".yml", ".slp")
"""A name with one of these is never meant to be, say, the page of a run beside the pipeline."""


def nearest_path(path: Path) -> Path | None:
    """An existing file with a similar name, in the same folder or one with a similar name."""
    missing = path
    while missing.name and not missing.parent.is_dir():
        missing = missing.parent
    suffixes = _PIPELINES if missing == path and path.suffix in _PIPELINES else ()
    name = nearest_name(missing, folders=missing != path, suffixes=suffixes)
    found = missing.with_name(name) / path.relative_to(missing) if name else path
    return found if found.exists() else None


def nearest_name(path: Path, *, folders: bool = False, suffixes: tuple[str, ...] = ()) -> str:
    """The name in its folder that is most similar, apart from the extension; empty if none is.
    Only names of `folders`, if what is missing is a folder, and with one of these `suffixes`, if
    there are any."""
    from difflib import get_close_matches  # only needed for this message

    try:
        names = [
            entry.name
            for entry in path.parent.iterdir()
            if (entry.is_dir() if folders else entry.exists())
            and (not suffixes or entry.suffix in suffixes)
        ]
    except OSError:
        return ""
    stems = {Path(name).stem for name in names}
    close = get_close_matches(path.stem, stems, n=1)
    alike = [name for name in names if Path(name).stem in close]
    return next(iter(get_close_matches(path.name, alike, n=1, cutoff=0)), "")
