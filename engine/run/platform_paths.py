"""A run's location in terms of the platform: `pipe.plexPath`, `pipe.projectPath`, `pipe.ruuid`.

Pipelines recognise their environment by the first part of these paths, the organisation, as in
`pipe.plexPath.split('/')[1] == 'prod'`. Two environment variables set the paths, so that `engine
run`, hosted tasks and tests see the same values.
"""

from __future__ import annotations

import os
import uuid
from binascii import crc32
from pathlib import PurePath

from engine.errors import ConfigurationError
from engine.late_regex import late_regex

PLEX_VARIABLE = "SNAPLINE_PLEX_PATH"
PROJECT_VARIABLE = "SNAPLINE_PROJECT_PATH"
_PATH = late_regex(r"(/[^/\s][^/]*){3}")


def plex_path() -> str:
    """`/org/space/plex`; raises ConfigurationError if the variable has another form."""
    return _from_environment(PLEX_VARIABLE, "/org/space/plex") or "/local/shared/plex"


def project_path(folder: str) -> str:
    """`/org/space/project`; without the variable, the project is named after its folder."""
    found = _from_environment(PROJECT_VARIABLE, "/org/space/project")
    return found or f"/local/projects/{PurePath(folder).name or 'project'}"


def run_id(plex: str) -> str:
    """A new id in the platform's form: 24 hexadecimal digits of the organisation, `_`, a UUID."""
    name = plex.split("/")[1].encode()
    organisation = "".join(f"{crc32(name, start):08x}" for start in range(3))  # same in every run
    return f"{organisation}_{uuid.uuid4()}"


def _from_environment(variable: str, form: str) -> str:
    value = os.environ.get(variable, "")
    if value and not _PATH.fullmatch(value):
        raise ConfigurationError(f"{variable} must look like {form}, got {value!r}")
    return value
