"""Write the newest versions that pip finds into a constraints file.

`make update` runs this twice: for what `make setup` installs and for what the digit scripts
install. pip resolves the versions in an empty environment, so that installed packages have no
influence.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HEADER = """\
# {purpose}
# Written by `make update`, with Python {python}; do not edit by hand.
"""

SEEDED = ("setuptools", "wheel")
"""Older Pythons put these into every new environment, in versions that nobody chose."""


def frozen(wanted: list[str]) -> list[str]:
    """Pins for these pip arguments and everything they depend on, sorted by name."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "uninstall", "--yes", *SEEDED], check=True)
        subprocess.run([*pip, "install", *wanted], check=True)
        listed = subprocess.run(
            [*pip, "freeze", "--all", "--exclude", "pip", "--exclude-editable"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    pins = [line for line in listed.splitlines() if "==" in line]
    return sorted(f"{name.lower()}=={version}" for name, version in map(_split, pins))


def with_aliases(pins: list[str], aliases: list[str]) -> list[str]:
    """The pins plus, for each alias `NAME=OTHER`, a pin of NAME at the version of OTHER."""
    versions = dict(pin.split("==") for pin in pins)
    return sorted([*pins, *(f"{name}=={versions[other]}" for name, other in map(_halves, aliases))])


def _halves(alias: str) -> tuple[str, str]:
    name, _, other = alias.partition("=")
    return name, other


def _split(pin: str) -> tuple[str, str]:
    """Name and version, without the local part of the version (`+cpu`), which names one build."""
    name, _, version = pin.partition("==")
    return name, version.partition("+")[0]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path, help="the constraints file to write")
    parser.add_argument("purpose", help="what the versions are for; the first line of the file")
    parser.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="NAME=OTHER",
        help="also pin NAME at the version of OTHER: the same library on another platform",
    )
    parser.add_argument("wanted", nargs="+", help="what to install, as arguments of pip")
    arguments = parser.parse_args()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    header = HEADER.format(purpose=arguments.purpose, python=python)
    pins = with_aliases(frozen(arguments.wanted), arguments.alias)
    arguments.file.write_text(header + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
