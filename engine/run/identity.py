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
from engine.request_tags import NO_TAG, RequestTag
from engine.run.files.rules import TRUSTING, FileRules
from engine.run.parameters import resolve_parameters
from engine.run.platform_paths import plex_path, project_path, run_id


class RunIdentity(msgspec.Struct, frozen=True):
    """Plain data that can be pickled. `parameters` are resolved; `started` is in UTC.

    A child run has a `parent_ruuid` and a `root_ruuid`; its `callers` are the paths of the
    pipelines that led to it, outermost first. In a test, the clock may stand still (`now`), and the
    random numbers may have a seed. `request` is the request that the run answers, if it is one
    request; those of an ultra task have many.
    """

    ruuid: str
    started: datetime
    parameters: dict[str, str | None]
    timezone: str
    user: str
    plex_path: str
    project_path: str
    files: FileRules = TRUSTING
    parent_ruuid: str | None = None
    root_ruuid: str = ""
    callers: tuple[str, ...] = ()
    now: datetime | None = None
    random_seed: int | None = None
    request: RequestTag = NO_TAG


def identify(
    plan: Plan,
    given: Mapping[str, str],
    *,
    timezone: str = "UTC",
    files: FileRules = TRUSTING,
    now: datetime | None = None,
    random_seed: int | None = None,
    request: RequestTag = NO_TAG,
) -> RunIdentity:
    """The identity of a run of this plan that starts now; `now` stops its clock.

    Raises ConfigurationError if a parameter is missing or not declared, or the time zone unknown.
    """
    check_timezone(timezone)
    plex = plex_path()
    return RunIdentity(
        ruuid=run_id(plex),
        started=now or datetime.now(UTC),
        parameters=resolve_parameters(plan.parameters, given),
        timezone=timezone,
        user=_user(),
        plex_path=plex,
        project_path=project_path(plan.project),
        files=files,
        now=now,
        random_seed=random_seed,
        request=request,
    )


def identify_child(
    plan: Plan,
    given: Mapping[str, str],
    caller: Plan,
    parent: RunIdentity,
    from_data: frozenset[str],
    request: RequestTag = NO_TAG,
) -> RunIdentity:
    """The identity of a run of `plan` that starts now, in a run of `caller` that is `parent`.

    It belongs to the `request`. The parameters in `from_data` have values that come from documents.
    Raises ConfigurationError as `identify` does.
    """
    return msgspec.structs.replace(
        parent,
        ruuid=run_id(plex_path()),
        started=parent.now or datetime.now(UTC),
        parameters=resolve_parameters(plan.parameters, given),
        project_path=project_path(plan.project),
        files=msgspec.structs.replace(parent.files, data_parameters=from_data),
        parent_ruuid=parent.ruuid,
        root_ruuid=parent.root_ruuid or parent.ruuid,
        callers=(*parent.callers, caller.path),
        request=request,
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
