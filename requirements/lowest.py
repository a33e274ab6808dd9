"""Print the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import tomllib
from pathlib import Path

LOWER_BOUND = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([A-Za-z0-9.]+)")


def lowest(requirements: list[str]) -> list[str]:
    """`name>=1.2,<3` as `name==1.2`. Raises ValueError for a requirement without a lower bound."""
    found = [(requirement, LOWER_BOUND.match(requirement)) for requirement in requirements]
    if unbounded := [requirement for requirement, bound in found if bound is None]:
        raise ValueError(f"pyproject.toml gives no lower bound for: {', '.join(unbounded)}")
    return [f"{bound[1]}=={bound[2]}" for _, bound in found if bound is not None]


if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    print("\n".join(lowest(project["dependencies"])))
