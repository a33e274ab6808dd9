"""Previews: a pipeline runs on its first documents, without effects on the outside.

The ordinary runner runs the ordinary plan. Only the registry differs (`stage`): in place of some
snaps it makes one that ends its output when there is enough (`limits`), or one that stands in for a
snap that must not run (`standins`).
"""

from engine.preview.changes import Changes, SnapChange, ViewChange, changes
from engine.preview.partial import Part, PartialRun
from engine.preview.result import Preview, SnapPreview, StreamPreview, ViewPreview
from engine.preview.running import Request, plan_preview, run_preview
from engine.preview.store import samples
from engine.preview.summary import PreviewPlan

__all__ = [
    "Changes",
    "Part",
    "PartialRun",
    "Preview",
    "PreviewPlan",
    "Request",
    "SnapChange",
    "SnapPreview",
    "StreamPreview",
    "ViewChange",
    "ViewPreview",
    "changes",
    "plan_preview",
    "run_preview",
    "samples",
]
