"""The data of a run that is the same in every process that takes part in it.

The identity is created once, when a run starts, and passed to every process: the instances of an
ultra task, the process of a triggered or scheduled run, a worker of a cluster.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from engine.expressions import check_timezone
from engine.plan.plan import Plan
from engine.run.files.rules import TRUSTING, FileRules
from engine.run.parameters import resolve_parameters
from engine.run.platform_paths import plex_path, project_path, run_id


class RunIdentity(msgspec.Struct, frozen=True):
    """Plain data that can be pickled. `parameters` are resolved; `started` is in UTC."""

    ruuid: str
    started: datetime
    parameters: dict[str, str | None]
    timezone: str
    user: str
    plex_path: str
    project_path: str
    files: FileRules = TRUSTING


def identify(
    plan: Plan,
    given: Mapping[str, str],
    *,
    timezone: str = "UTC",
    files: FileRules = TRUSTING,
) -> RunIdentity:
    """The identity of a run of this plan that starts now.

    Raises ConfigurationError if a parameter is missing or not declared, or the time zone unknown.
    """
    check_timezone(timezone)
    plex = plex_path()
    return RunIdentity(
        ruuid=run_id(plex),
        started=datetime.now(UTC),
        parameters=resolve_parameters(plan.parameters, given),
        timezone=timezone,
        user=_user(),
        plex_path=plex,
        project_path=project_path(plan.project),
        files=files,
    )


def _user() -> str:
    """The name of the user, from where getpass takes it, which takes longer to import."""
    names = map(os.environ.get, ("LOGNAME", "USER", "LNAME", "USERNAME"))
    if name := next(filter(None, names), ""):
        return name
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return ""
