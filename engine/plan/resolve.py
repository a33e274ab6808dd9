"""Resolve a spec against the installed snaps, once for both checking and compiling."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine.errors import Problem
from engine.pipeline.spec import PipelineSpec
from engine.plan.accounts import Accounts
from engine.plan.children import check_children
from engine.plan.collector import ProblemCollector
from engine.plan.document_fields import check_fields
from engine.plan.error_pipeline import resolve_error_pipeline
from engine.plan.folders import folder_of, project_of
from engine.plan.graph import downstream
from engine.plan.libraries import read_libraries
from engine.plan.linkage import check_linkage
from engine.plan.parameters import check_parameters
from engine.plan.plan import ErrorPipeline, Library
from engine.plan.python_code import check_python
from engine.plan.snaps import ResolvedSnap, resolve_snap
from engine.plan.views import ResolvedLink, resolve_links
from engine.plan.writes import check_writes
from engine.registry import Registry


class Resolution(msgspec.Struct, frozen=True):
    """A pipeline with its snaps and links resolved, and all its problems."""

    spec: PipelineSpec
    folder: str
    project: str
    libraries: tuple[Library, ...]
    snaps: Mapping[str, ResolvedSnap]
    links: tuple[ResolvedLink, ...]
    error_pipeline: ErrorPipeline | None
    problems: list[Problem]


def resolve(
    spec: PipelineSpec,
    registry: Registry,
    project: str | None = None,
    accounts: Accounts | None = None,
) -> Resolution:
    """Check everything and collect problems. Opens nothing but libraries, scripts and accounts."""
    collector = ProblemCollector(spec)
    folder = folder_of(spec.path)
    project = project or project_of(folder)
    accounts = accounts or Accounts(folder, project)
    check_parameters(collector)
    libraries = tuple(read_libraries(collector, folder, project))
    edges = [(link.source.label, link.target.label) for link in spec.links]
    disabled = [label for label, snap in spec.snaps.items() if snap.mode == "disabled"]
    idle = downstream(disabled, edges)
    snaps = {
        label: resolve_snap(
            snap, registry, collector, accounts, folder, project, idle=label in idle
        )
        for label, snap in spec.snaps.items()
    }
    error_pipeline = resolve_error_pipeline(collector, folder, project)
    links = resolve_links(snaps, registry, collector)
    check_linkage(snaps, links, collector)
    check_fields(snaps, links, collector)
    check_writes(snaps, links, collector, folder, project)
    check_children(snaps, collector, folder, project)
    check_python(snaps, links, collector, folder, project)
    return Resolution(
        spec,
        folder,
        project,
        libraries,
        snaps,
        tuple(links),
        error_pipeline,
        collector.all(),
    )
