"""Read an exported pipeline (.slp) into typed values; what is broken in it is named.

Only the four keys that every export has are needed: `property_map`, `snap_map`, `link_map` and
`render_map`. They are the same in all flavours of the format.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.errors import ConfigurationError
from engine.slp.stored import Leaf, leaf_of, rows_of, text_of

MAX_BYTES = 64 * 1024 * 1024
NESTED = "com-snaplogic-subpipeline"
"""The class of a nested pipeline."""

REFERENCE = "pipe_ref"
"""The key that names its pipeline; it is not among the settings, but read as if it were."""

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ZIP = b"PK\x03\x04"
_NAME_IN_VIEW = re.compile(r"^.* - (?=[^-]*$)")


class SlpError(ConfigurationError):
    """A file that cannot be imported, with what to do about it."""


class StoredView(msgspec.Struct, frozen=True):
    """A view of a snap: links name it by `id`, people and some settings by `label`."""

    id: str
    label: str
    type: str


class StoredSnap(msgspec.Struct, frozen=True):
    id: str
    class_id: str
    version: Any
    label: str
    notes: str
    mode: str
    error_behavior: str
    settings: Mapping[str, Any]
    inputs: tuple[StoredView, ...]
    outputs: tuple[StoredView, ...]
    errors: tuple[StoredView, ...]
    account: Leaf
    column: int = 0
    row: int = 0


class StoredLink(msgspec.Struct, frozen=True):
    source: str
    source_view: str
    target: str
    target_view: str


class StoredParameter(msgspec.Struct, frozen=True):
    name: str
    default: str | None
    required: bool
    capture: bool
    description: str


class Export(msgspec.Struct, frozen=True):
    """A pipeline as exported. `name` is its label, or else the name of its file.

    `is_written_here` says that `engine export` made it, so its links are in the order of the YAML.
    """

    path: str
    name: str
    purpose: str
    author: str
    notes: str
    documentation: str
    canvas_notes: tuple[str, ...]
    parameters: tuple[StoredParameter, ...]
    imports: tuple[tuple[str, str], ...]
    error_pipeline: Leaf
    error_parameters: tuple[tuple[str, Leaf], ...]
    snaps: Mapping[str, StoredSnap]
    links: tuple[StoredLink, ...]
    problems: tuple[str, ...]
    is_written_here: bool


def read_export(data: bytes, path: str) -> Export:
    """The pipeline in the bytes of a file. Raises SlpError if there is none."""
    root = read_json(data, path)
    if not all(isinstance(root.get(key), Mapping) for key in ("snap_map", "link_map")):
        raise SlpError(
            f"{path!r} is not an exported pipeline: it has no 'snap_map' and 'link_map'; "
            "export the pipeline from SnapLogic's Designer again"
        )
    return _Reader(root, path).export()


def read_json(data: bytes, path: str) -> dict[str, Any]:
    """The JSON object in the bytes of a file of SnapLogic's. Raises SlpError."""
    if data.startswith(_ZIP):
        raise SlpError(
            f"{path!r} is a project archive (zip); unpack it and import the files inside"
        )
    if len(data) > MAX_BYTES:
        raise SlpError(f"{path!r} is larger than {MAX_BYTES // 1024**2} MiB")
    try:
        root = _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SlpError(_not_json(data, path, str(error))) from None
    except RecursionError:
        raise SlpError(f"{path!r} is nested too deeply to be a file of SnapLogic's") from None
    if not isinstance(root, dict):
        raise SlpError(f"{path!r} does not hold a JSON object, as every export does")
    return root


def _not_json(data: bytes, path: str, reason: str) -> str:
    if not data.strip():
        return f"{path!r} is empty; export it again"
    if "truncated" in reason:
        return f"{path!r} is cut off: its JSON ends too early; copy or export it again"
    if data[:200].lstrip().startswith(b"version https://git-lfs"):
        return f"{path!r} is a pointer of Git LFS; fetch the file with: git lfs pull"
    return f"{path!r} is not valid JSON ({reason}); export it again"


class _Reader:
    def __init__(self, root: Mapping[str, Any], path: str) -> None:
        self.root = root
        self.path = path
        self.properties = _map(root.get("property_map"))
        self.problems: list[str] = []

    def export(self) -> Export:
        info = _map(self.properties.get("info"))
        settings = _map(self.properties.get("settings"))
        snaps = {snap.id: snap for snap in self._snaps()}
        links = tuple(self._links(snaps))
        for link in links:  # tools write links to views that they do not list
            snaps[link.source] = _with_view(snaps[link.source], "outputs", link.source_view)
            snaps[link.target] = _with_view(snaps[link.target], "inputs", link.target_view)
        error_parameters = rows_of(settings.get("error_param_table"))
        return Export(
            path=self.path,
            name=text_of(info.get("label")).strip() or Path(self.path).stem,
            purpose=text_of(info.get("purpose")).strip(),
            author=text_of(info.get("author")).strip(),
            notes=text_of(info.get("notes")).strip(),
            documentation=text_of(info.get("pipeline_doc_uri")).strip(),
            canvas_notes=tuple(self._canvas_notes()),
            parameters=tuple(self._parameters(settings)),
            imports=tuple(_imports(settings)),
            error_pipeline=leaf_of(settings.get("error_pipeline")),
            error_parameters=tuple(
                (row["key"].text, row.get("value", Leaf()))
                for row in error_parameters
                if "key" in row and not row["key"].is_unset
            ),
            snaps=snaps,
            links=links,
            problems=tuple(self.problems),
            is_written_here=bool(snaps) and all(map(_is_derived, snaps)),
        )

    def _snaps(self) -> Iterator[StoredSnap]:
        places = _map(_map(self.root.get("render_map")).get("detail_map"))
        for key, stored in self.root["snap_map"].items():
            class_id = _map(stored).get("class_id")
            if not isinstance(class_id, str) or not class_id:
                self.problems.append(f"the snap {key!r} has no class id and was left out")
                continue
            yield _snap(key, stored, _map(places.get(key)))

    def _links(self, snaps: Mapping[str, StoredSnap]) -> Iterator[StoredLink]:
        for key, stored in self.root["link_map"].items():
            link = _map(stored)
            names = ("src_id", "src_view_id", "dst_id", "dst_view_id")
            ends = [link.get(name) for name in names]
            if not all(isinstance(end, str) for end in ends):
                written = ", ".join(link) or "nothing"
                self.problems.append(
                    f"the link {key!r} was left out: it has {written} instead of "
                    "src_id, src_view_id, dst_id and dst_view_id"
                )
                continue
            found = StoredLink(*map(str, ends))
            if missing := [end for end in (found.source, found.target) if end not in snaps]:
                self.problems.append(
                    f"the link {key!r} was left out: the pipeline has no snap {missing[0]!r}"
                )
                continue
            yield found

    def _parameters(self, settings: Mapping[str, Any]) -> Iterator[StoredParameter]:
        for row in rows_of(settings.get("param_table")):
            name = row.get("key", Leaf())
            if name.is_unset:
                continue
            default = row.get("value", Leaf())
            yield StoredParameter(
                name=name.text.strip(),
                default=None if default.value is None else default.text,
                required=_flag(row.get("required")),
                capture=_flag(row.get("capture")),
                description="" if (d := row.get("description", Leaf())).is_unset else d.text,
            )

    def _canvas_notes(self) -> Iterator[str]:
        notes = _map(self.root.get("render_map")).get("notes")
        items = notes.values() if isinstance(notes, Mapping) else notes
        for note in items if isinstance(items, list) else list(items or ()):
            text = _map(note).get("text") or _map(note).get("content") or _map(note).get("value")
            if isinstance(text, str) and text.strip():
                yield text.strip()


def _snap(key: str, stored: Mapping[str, Any], place: Mapping[str, Any]) -> StoredSnap:
    properties = _map(stored.get("property_map"))
    info, settings = _map(properties.get("info")), _map(properties.get("settings"))
    error = _map(properties.get("error"))
    return StoredSnap(
        id=key,
        class_id=stored["class_id"],
        version=stored.get("class_version"),
        label=" ".join(text_of(info.get("label")).split()),
        notes=text_of(info.get("notes")).strip(),
        mode=text_of(settings.get("execution_mode")),
        error_behavior=text_of(error.get("error_behavior")),
        settings=_with_reference(settings, info) if stored["class_id"] == NESTED else settings,
        inputs=tuple(_views(properties.get("input"))),
        outputs=tuple(_views(properties.get("output"))),
        errors=tuple(_views({k: v for k, v in error.items() if k != "error_behavior"})),
        account=_account(properties.get("account")),
        column=_whole(place.get("grid_x_int")),
        row=_whole(place.get("grid_y_int")),
    )


def _with_view(snap: StoredSnap, side: Literal["inputs", "outputs"], name: str) -> StoredSnap:
    """The snap with a view of that id; an error view is always there."""
    views: tuple[StoredView, ...] = getattr(snap, side)
    known = {view.id for view in (*views, *snap.errors)}
    if name in known or name.startswith("error"):
        return snap
    return msgspec.structs.replace(snap, **{side: (*views, StoredView(name, name, "document"))})


def _with_reference(settings: Mapping[str, Any], info: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a nested pipeline, with the name of its file among them."""
    reference = _map(leaf_of(info.get("pipe_ref")).value)
    name = text_of(reference.get("label")) or text_of(info.get("label"))
    return {REFERENCE: {"value": name}, **settings}


def _views(stored: Any) -> Iterator[StoredView]:
    for key, view in _map(stored).items():
        if isinstance(view, Mapping):
            kind = text_of(view.get("view_type")) or "document"
            label = text_of(view.get("label")).strip() or key
            yield StoredView(key, label, "binary" if kind == "binary" else "document")


def _account(stored: Any) -> Leaf:
    """The name of the account, or the expression that gives it."""
    found = _map(stored).get("account_ref", stored)
    leaf = leaf_of(found)
    if isinstance(leaf.value, Mapping):
        label = leaf_of(leaf.value.get("label"))
        return Leaf() if label.is_unset else label
    return Leaf() if isinstance(found, Mapping) and "value" not in found else leaf


def _imports(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, path) of the expression libraries."""
    for row in rows_of(settings.get("imports")):
        path, name = row.get("path", Leaf()), row.get("as", Leaf())
        if not path.is_unset:
            file = path.text.strip()
            yield ("" if name.is_unset else name.text.strip()) or Path(file).stem, file


def _is_derived(key: str) -> bool:
    """Whether an id is made from a name; those of SnapLogic's Designer are random."""
    try:
        return uuid.UUID(key).version == 5
    except ValueError:
        return False


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _flag(leaf: Leaf | None) -> bool:
    return leaf is not None and leaf.value in (True, "true")


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
