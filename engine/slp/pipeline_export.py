"""A pipeline as a file that SnapLogic's Designer imports, and that imports here to the same YAML.

Ids are derived from the names, so that exporting twice gives the same file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from engine.errors import ConfigurationError, InvalidPipelineError
from engine.pipeline.environment import fill_in, unescaped
from engine.pipeline.spec import PipelineSpec, SnapSpec
from engine.plan.resolve import resolve
from engine.plan.snaps import ResolvedSnap
from engine.plan.views import ResolvedLink
from engine.registry import Registry, SnapClass
from engine.sdk.facts import Foreign
from engine.sdk.views import ERROR_VIEW
from engine.slp.export_file import NESTED, REFERENCE
from engine.slp.layout import Place, places_of
from engine.slp.naming import label_of, name_of
from engine.slp.snap_export import stored_settings, without_counterpart
from engine.slp.stored import ENCODER, Json, wrapped
from engine.slp.view_export import ERROR_ID, Side, ViewIds, view_ids

_MODES = {
    "validate_and_execute": "Validate & Execute",
    "execute_only": "Execute only",
    "disabled": "Disabled",
}
_ON_ERROR = {"stop": "fail", "route": "continue", "discard": "ignore"}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "snapline:export")
_CLASS_VERSION = 9
_FIRST_LINK = 100
_TOLERATED = ("unsupported-snap", "unsupported-setting", "missing-file", "unknown-account")
"""Codes of errors that do not matter in an export: they are about the place where it would run."""


class ExportedPipeline(msgspec.Struct, frozen=True):
    """The bytes of an .slp, and what of the pipeline SnapLogic has no place for."""

    content: bytes
    warnings: tuple[str, ...]


def export_pipeline(spec: PipelineSpec, registry: Registry) -> ExportedPipeline:
    """The .slp of a pipeline. Raises InvalidPipelineError if it has mistakes."""
    return _Export(spec, registry).result()


class _Export:
    def __init__(self, spec: PipelineSpec, registry: Registry) -> None:
        resolution = resolve(spec, registry)
        if any(p.severity == "error" and p.code not in _TOLERATED for p in resolution.problems):
            raise InvalidPipelineError(resolution.problems)
        self.spec = spec
        self.links = resolution.links
        self.from_snap: dict[str, list[ResolvedLink]] = {label: [] for label in spec.snaps}
        self.to_snap: dict[str, list[ResolvedLink]] = {label: [] for label in spec.snaps}
        for link in self.links:
            self.from_snap[link.labels[0]].append(link)
            self.to_snap[link.labels[1]].append(link)
        self.warnings: list[str] = []
        self.ids = {
            label: str(uuid.uuid5(_NAMESPACE, f"{spec.name}/{label}")) for label in spec.snaps
        }
        self.views = {label: self._views(snap) for label, snap in resolution.snaps.items()}
        self.classes = {label: _known(snap) for label, snap in resolution.snaps.items()}

    def result(self) -> ExportedPipeline:
        places = places_of(self.spec)
        snaps = self.spec.snaps
        root = {
            "class_id": "com-snaplogic-pipeline",
            "class_version": _CLASS_VERSION,
            "property_map": self._properties(),
            "snap_map": {self.ids[label]: self._snap(snap) for label, snap in snaps.items()},
            "link_map": {
                f"link{_FIRST_LINK + number}": self._link(link)
                for number, link in enumerate(self.links)
            },
            "render_map": {
                "scale_ratio": 1,
                "pan_x_num": 0,
                "pan_y_num": 0,
                "detail_map": {self.ids[label]: _detail(places[label]) for label in snaps},
            },
        }
        text = msgspec.json.format(ENCODER.encode(root), indent=2)
        return ExportedPipeline(text + b"\n", tuple(self.warnings))

    def _views(self, snap: ResolvedSnap) -> Mapping[Side, ViewIds]:
        label = snap.spec.label
        return {
            "input": view_ids(snap, "input", self.to_snap[label]),
            "output": view_ids(snap, "output", self.from_snap[label]),
        }

    def _link(self, link: ResolvedLink) -> dict[str, str]:
        source, target = link.labels
        return {
            "src_id": self.ids[source],
            "src_view_id": self._source_view(link),
            "dst_id": self.ids[target],
            "dst_view_id": self._target_view(link),
        }

    def _source_view(self, link: ResolvedLink) -> str:
        if link.source is ERROR_VIEW or link.spec.source.view == ERROR_VIEW.name:
            return ERROR_ID
        name = link.source.name if link.source is not None else link.spec.source.view
        return self.views[link.labels[0]]["output"].ids[name]

    def _target_view(self, link: ResolvedLink) -> str:
        name = link.target.name if link.target is not None else link.spec.target.view
        return self.views[link.labels[1]]["input"].ids[name]

    def _properties(self) -> dict[str, Json]:
        spec = self.spec
        imports = [
            {"path": {"value": each.file}, "as": {"value": each.name}} for each in spec.libraries
        ]
        return {
            "info": {
                "label": {"value": spec.name},
                "author": {"value": None},
                "notes": {"value": _comments_at_the_top(spec) or None},
                "purpose": {"value": spec.description or None},
            },
            "settings": {
                "param_table": {"value": list(self._parameters())},
                "imports": {"value": imports},
                **self._error_pipeline(),
            },
            "error": {"error_behavior": {"value": "none"}},
            "input": dict(self._open_views("input")),
            "output": dict(self._open_views("output")),
        }

    def _error_pipeline(self) -> dict[str, Json]:
        given = self.spec.error_pipeline or {}
        name, parameters = given.get("pipeline"), given.get("parameters")
        if isinstance(name, str) and not name.startswith("="):
            name = _pipeline_name(name)
        rows = parameters.items() if isinstance(parameters, Mapping) else ()
        return {
            "error_pipeline": {"expression": False, **wrapped(name)},
            "error_param_table": {
                "value": [{"key": {"value": key}, "value": wrapped(value)} for key, value in rows]
            },
        }

    def _parameters(self) -> Iterator[dict[str, Json]]:
        for parameter in self.spec.parameters:
            default = parameter.default
            if default is not None and fill_in(default, {})[1]:
                what = f"the default of the parameter {parameter.name!r}"
                self.warnings.append(
                    f"{what} reads the environment here; in SnapLogic it is the text "
                    f"{unescaped(default)!r}"
                )
            yield {
                "key": {"value": parameter.name},
                "value": {"value": None if default is None else unescaped(default)},
                "capture": {"value": parameter.capture},
                "required": {"value": parameter.required},
                "data_type": {"value": "string"},
                "description": {"value": parameter.description or None},
            }

    def _open_views(self, side: Side) -> Iterator[tuple[str, Json]]:
        """The views without a link, as the pipeline itself shows them."""
        linked = {
            (link.labels[0], self._source_view(link))
            if side == "output"
            else (link.labels[1], self._target_view(link))
            for link in self.links
        }
        for label, views in self.views.items():
            for key, view in views[side].stored().items():
                if (label, key) not in linked:
                    title = f"{self._title(self.spec.snaps[label])} - {view['label']['value']}"
                    yield f"{self.ids[label]}_{key}", {**view, "label": {"value": title}}

    def _snap(self, snap: SnapSpec) -> dict[str, Json]:
        snap_class, foreign = self.classes[snap.label]
        views = self.views[snap.label]
        if snap_class is None or foreign is None:
            class_id, version = snap.type, snap.settings.get("class_version", 1)
            settings = _kept(snap)
        else:
            class_id, version = foreign.class_id, foreign.version or 1
            settings = self._converted(snap, snap_class, foreign)
        info: dict[str, Json] = {
            "label": {"value": self._title(snap)},
            "notes": {"value": _comments_above(self.spec, snap.label) or None},
        }
        if class_id == NESTED:
            info["pipe_ref"] = {"value": {"label": settings.pop(REFERENCE, None)}}
        properties: dict[str, Json] = {
            "info": info,
            "settings": {**settings, "execution_mode": {"value": _MODES[snap.mode]}},
            "input": views["input"].stored(),
            "output": views["output"].stored(),
            "error": {
                ERROR_ID: {"label": {"value": ERROR_ID}, "view_type": {"value": "document"}},
                "error_behavior": {"value": _ON_ERROR[self._on_error(snap)]},
            },
        }
        if account := _account(snap):
            properties["account"] = {"account_ref": account}
        return {
            "class_id": class_id,
            "class_version": version,
            "instance_id": self.ids[snap.label],
            "property_map": properties,
        }

    def _title(self, snap: SnapSpec) -> str:
        """The label; one that leads back to the name if there is one."""
        label = label_of(snap.label)
        return snap.title or (label if name_of(label) == snap.label else snap.label)

    def _on_error(self, snap: SnapSpec) -> str:
        links = self.from_snap[snap.label]
        is_linked = any(self._source_view(link) == ERROR_ID for link in links)
        return snap.on_error or ("route" if is_linked else "stop")

    def _converted(
        self, snap: SnapSpec, snap_class: SnapClass, foreign: Foreign
    ) -> dict[str, Json]:
        cls = snap_class.settings_class
        texts = {}
        for name in foreign.files.values():
            file = snap.settings.get(name)
            may_be_named = name in foreign.settings.values()
            if isinstance(file, str) and not (may_be_named and not self._path(file).is_file()):
                texts[name] = self._text_of(snap, file)
        for name in without_counterpart(cls, foreign, snap.settings):
            what = f"SnapLogic's {foreign.name} has no setting for {name!r}"
            self.warnings.append(f"{snap.label}: {what}")
        unsupported = {k: v for k, v in snap.unsupported.items() if k != "account"}
        values = dict(snap.settings)
        for name in foreign.pipelines:
            if isinstance(file := values.get(name), str) and not file.startswith("="):
                values[name] = _pipeline_name(file)
        return stored_settings(cls, foreign, values, unsupported, texts)

    def _path(self, file: str) -> Path:
        return Path(self.spec.path).parent / file

    def _text_of(self, snap: SnapSpec, file: str) -> str:
        path = self._path(file)
        try:
            return path.read_bytes().decode("utf-8", "surrogatepass")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{snap.label}: cannot read '{path}': {error}") from None


def _pipeline_name(file: str) -> str:
    """What SnapLogic calls the pipeline of a file: a name that leads back to it."""
    stem = Path(file).stem
    label = label_of(stem)
    return label if name_of(label) == stem else stem


def _known(snap: ResolvedSnap) -> tuple[SnapClass | None, Foreign | None]:
    return snap.snap_class, snap.snap_class.foreign if snap.snap_class else None


def _kept(snap: SnapSpec) -> dict[str, Json]:
    """The settings of a snap that is not supported here."""
    settings = snap.settings.get("settings")
    items = settings.items() if isinstance(settings, Mapping) else ()
    return {key: wrapped(value) for key, value in items}


def _account(snap: SnapSpec) -> Json:
    name = snap.settings.get("account") or snap.unsupported.get("account")
    if not isinstance(name, str):
        return None
    if name.startswith("="):
        return {"value": name[1:].strip(), "expression": True}
    return {"value": {"label": {"value": name}, "ref_id": {"value": None}}}


def _detail(place: Place) -> dict[str, Json]:
    return {"grid_x_int": place.column, "grid_y_int": place.row, "rot_int": 0}


def _comments_at_the_top(spec: PipelineSpec) -> str:
    lines = []
    for line in spec.source.text.lines:
        if not line.startswith("#"):
            break
        lines.append(line)
    return _without_marks(lines)


def _comments_above(spec: PipelineSpec, label: str) -> str:
    """The comment lines right above the label of a snap."""
    lines = spec.source.text.lines
    first = end = spec.source.where_key(("snaps", label)).line - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return _without_marks([line.strip() for line in lines[first:end]])


def _without_marks(lines: list[str]) -> str:
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines).rstrip()
