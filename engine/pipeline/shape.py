"""The shape of a pipeline file: its keys, and the kind of value that each takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from engine.errors import Problem
from engine.hints import Hint, NewValue, Replacement
from engine.pipeline import foreign_keys
from engine.pipeline.links import ARROW, read_links
from engine.pipeline.nodes import Items, Node, Scalar, Table, plain
from engine.pipeline.source import KeyPath, Source
from engine.pipeline.spec import (
    LibrarySpec,
    LinkSpec,
    Mode,
    OnError,
    ParameterSpec,
    PipelineSpec,
    SnapSpec,
)
from engine.pipeline.yaml_lines import brief
from engine.sdk.settings import nearest_hint, nearest_names, shown

_KEYS = (
    "pipeline",
    "description",
    "parameters",
    "libraries",
    "error_pipeline",
    "lenient",
    "snaps",
    "links",
)
_PARAMETER_KEYS = ("default", "required", "secret", "capture", "description")
_LABEL_HINT = "use printable characters, without '.' and '->'"


def shape(source: Source, problems: list[Problem]) -> PipelineSpec:
    """The spec of a composed file; `problems` are those of composing it."""
    reader = _SpecReader(source, problems)
    return reader.pipeline()


class _SpecReader:
    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems

    def pipeline(self) -> PipelineSpec:
        path = self.source.text.path
        root = self.source.root
        hint = "it has keys such as 'snaps:' and 'links:', see docs/pipeline-files.md"
        top = self._table(root, (), "a pipeline file", hint=hint)
        self._known_keys(top, (), _KEYS)
        self._read_misspelled_keys(root, top)
        snaps = {snap.label: snap for snap in self._snaps(top.get("snaps"))}
        name = self._text(top.get("pipeline"), ("pipeline",), "the snaps go under 'snaps:'")
        if not snaps and not self.problems:
            hint = "add one to 'snaps:'"
            message = "the pipeline has no snaps"
            self._report("missing-snaps", ("snaps",), message, hint, at_key=True)
        return PipelineSpec(
            name=name or Path(path).stem,
            path=path,
            source=self.source,
            description=self._text(top.get("description"), ("description",)),
            parameters=tuple(self._parameters(top.get("parameters"))),
            libraries=tuple(self._libraries(top.get("libraries"))),
            lenient=self._flag(top.get("lenient"), ("lenient",)),
            error_pipeline=self._error_pipeline(top.get("error_pipeline")),
            snaps=snaps,
            links=tuple(self._links(*self._place_of_links(top))),
            problems=tuple(self.problems),
        )

    def _read_misspelled_keys(self, root: Node | None, top: dict[str, Node]) -> None:
        """Read `link:` as `links:`: it is reported, and the rest is checked as if it were right."""
        if not isinstance(root, Table):
            return
        for key in [key for key in top if key not in (*_KEYS, *foreign_keys.TOP_LEVEL)]:
            for intended in nearest_names(key, _KEYS)[:1]:
                if intended not in top:
                    root.entries[intended] = root.entries.pop(key)
                    top[intended] = top.pop(key)

    def _error_pipeline(self, node: Node | None) -> Mapping[str, Any] | None:
        """Its settings, not converted yet; a plain text is the name of the file."""
        if node is None or _is_null(node):
            return None
        if isinstance(node, Scalar):
            name = self._text(node, ("error_pipeline",))
            return {"pipeline": name} if name else None
        table = self._table(node, ("error_pipeline",), "'error_pipeline'")
        return {key: plain(value) for key, value in table.items()}

    def _snaps(self, node: Node | None) -> Iterator[SnapSpec]:
        hint = foreign_keys.list_of_snaps_hint(node) if isinstance(node, Items) else ""
        labels = self._table(node, ("snaps",), "'snaps'", hint=hint)
        for label in self._misplaced(labels):
            del labels[label]
        for label, value in labels.items():
            path: KeyPath = ("snaps", label)
            if not label.strip() or not label.isprintable() or "." in label or ARROW in label:
                message = f"{shown(label)} is not a valid label"
                self._report("bad-name", path, message, _LABEL_HINT, at_key=True)
            yield self._snap(label, value, path)

    def _misplaced(self, labels: dict[str, Node]) -> list[str]:
        """Keys among the labels that belong elsewhere; the first of them is reported.

        Usually the keys of a snap are not indented further than its label.
        """
        misplaced: list[str] = []
        owner, takes_more = "", False
        for label, value in labels.items():
            has_snap = isinstance(value, Table) and "snap" in value.entries
            if has_snap or _is_null(value):
                owner, takes_more = label, not has_snap
            elif label in _KEYS:
                hint = f"start {shown(label)} at the beginning of the line"
                self._report_misplaced(label, hint)
                misplaced.append(label)
            elif owner and (label in foreign_keys.SNAP_KEYS or owner in misplaced):
                if takes_more:
                    self._report_misplaced(
                        label, f"indent the keys of '{owner}' further than '{owner}'"
                    )
                    misplaced.append(owner)
                    takes_more = False
                elif owner not in misplaced:
                    self._report_misplaced(label, f"indent it further than '{owner}'")
                misplaced.append(label)
        return misplaced

    def _report_misplaced(self, label: str, hint: str) -> None:
        message = f"expected the label of a snap, got {shown(label)}"
        self._report("wrong-type", ("snaps", label), message, hint, at_key=True)

    def _snap(self, label: str, node: Node, path: KeyPath) -> SnapSpec:
        where = self.source.where_key(path)
        incomplete = self.source.is_incomplete(path)
        is_filled = not incomplete or not _is_null(node)
        glued = isinstance(node, Scalar) and self._is_glued(node.text, path, at_key=False)
        what, hint = f"the snap {shown(label)}", ""
        if isinstance(node, Scalar) and node.text.isidentifier() and node.value is not None:
            hint = f"write '{label}: {{snap: {node.text}}}'"
            if "snap".startswith(node.text):
                hint = "write 'snap:' and the name of a snap"
        elif _is_null(node):
            hint = "write its keys below it, indented further: 'snap: NAME' and its settings"
        table = {} if glued else self._table(node, path, what, filled=is_filled, hint=hint)
        for key in [key for key in table if self._is_glued(key, (*path, key))]:
            del table[key]
            incomplete = True
        on_error = self._choice(table.pop("on_error", None), (*path, "on_error"), OnError)
        mode = self._choice(table.pop("mode", None), (*path, "mode"), Mode)
        title = self._text(table.pop("label", None), (*path, "label"))
        place = (*path, "unsupported")
        unsupported = self._table(table.pop("unsupported", None), place, "'unsupported'")
        open_input, open_output = table.pop("open_input", None), table.pop("open_output", None)
        kind = table.pop("snap", None)
        if isinstance(node, Table) and not incomplete:
            self._check_named(label, kind, table, path)
        return SnapSpec(
            label=label,
            type=self._text(kind, (*path, "snap")),
            where=where,
            settings={key: plain(value) for key, value in table.items()},
            on_error=on_error,
            mode=mode or "validate_and_execute",
            title=title,
            unsupported={key: plain(value) for key, value in unsupported.items()},
            open_input=self._flag(open_input, (*path, "open_input")),
            open_output=open_output is None or self._flag(open_output, (*path, "open_output")),
            incomplete=incomplete,
        )

    def _check_named(
        self, label: str, kind: Node | None, table: dict[str, Node], path: KeyPath
    ) -> None:
        """Report a snap whose file does not say which snap it is."""
        if isinstance(kind, Scalar) and (kind.value is None or kind.value == ""):
            message = f"the key 'snap' of {shown(label)} has no value"
            hint = "write the name of a snap, such as 'snap: Filter'"
            self._report("missing-snap-type", (*path, "snap"), message, hint, at_key=True)
        if kind is not None:
            return
        hint = "add 'snap:' with the name of a snap"
        message = f"the snap {shown(label)} has no key 'snap'"
        for key in sorted(table, key=lambda each: each.lower() != "snap"):
            named = table[key]
            if key.lower() in ("snap", *foreign_keys.TYPE_KEYS) and isinstance(named, Scalar):
                hint = f"write 'snap: {named.text}' instead of {shown(f'{key}:')}"
                hint = Hint(hint, [Replacement("snap", key)])
                path = (*path, key)
                break
        self._report("missing-snap-type", path, message, hint, at_key=True)

    def _is_glued(self, text: str, path: KeyPath, *, at_key: bool = True) -> bool:
        """Report a key without a space after its colon: YAML reads key and value as one string."""
        found = foreign_keys.GLUED.fullmatch(text)
        if found is None or "->" in text:
            return False
        message = f"a space is missing after '{brief(found['key'])}:'"
        hint = f"write '{brief(found['key'])}: {brief(found['value'])}'"
        hint = Hint(hint, [NewValue(f"{found['key']}: {found['value']}")] if not at_key else ())
        if found["value"][:1] in "{[":
            hint = f"write '{brief(found['key'])}: {found['value'][:1]}...'"
        self._report("yaml-error", path, message, hint, at_key=at_key)
        return True

    def _place_of_links(self, top: dict[str, Node]) -> tuple[Node | None, KeyPath]:
        """Where the links are: at the top level, or among the snaps through wrong indentation."""
        snaps = top.get("snaps")
        if "links" not in top and isinstance(snaps, Table) and "links" in snaps.entries:
            return snaps.entries["links"].value, ("snaps", "links")
        return top.get("links"), ("links",)

    def _links(self, node: Node | None, place: KeyPath) -> Iterator[LinkSpec]:
        for position, item in enumerate(self._items(node, place)):
            path: KeyPath = (*place, position)
            if isinstance(item, Scalar) and self._runs_on(item):
                continue
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield from read_links(self.source, path, item.value, self.problems)
            else:
                message = f"a link must be a string, not {_kind(item)}"
                self._report("bad-link", path, message, foreign_keys.link_hint(item))

    def _runs_on(self, link: Scalar) -> bool:
        """Report a line with a link that YAML reads as part of the link above it."""
        for number in range(link.start.line + 1, link.end.line + 1):
            text = self.source.text.lines[number]
            if not link.style and text.lstrip().startswith("- "):
                indent = len(text) - len(text.lstrip())
                where = self.source.text.at(number, indent, len(text))
                message = "YAML reads this line as part of the link above it"
                hint = "align its '-' with that of the link above"
                self.problems.append(Problem("bad-link", where, message, hint))
                return True
        return False

    def _parameters(self, node: Node | None) -> Iterator[ParameterSpec]:
        hint = "write each parameter as 'name: default', without '-'"
        if isinstance(node, Scalar) and node.text.isidentifier():
            hint = f"write '{node.text}:' and its default on a line below 'parameters:'"
        for name, value in self._table(node, ("parameters",), "'parameters'", hint=hint).items():
            path: KeyPath = ("parameters", name)
            self._identifier(name, path, "parameter")
            yield self._parameter(name, value, path)

    def _parameter(self, name: str, node: Node, path: KeyPath) -> ParameterSpec:
        where = self.source.where_key(path)
        if isinstance(node, Scalar):
            return ParameterSpec(name, where, default=_as_text(node))
        table = self._table(node, path, f"the parameter {shown(name)}")
        self._known_keys(table, path, _PARAMETER_KEYS)
        return ParameterSpec(
            name=name,
            where=where,
            default=self._default(table.get("default"), (*path, "default")),
            required=self._flag(table.get("required"), (*path, "required")),
            capture=self._flag(table.get("capture"), (*path, "capture")),
            secret=self._flag(table.get("secret"), (*path, "secret")),
            description=self._text(table.get("description"), (*path, "description")),
        )

    def _libraries(self, node: Node | None) -> Iterator[LibrarySpec]:
        hint = "write each library as 'name: file.expr', without '-'"
        for name, value in self._table(node, ("libraries",), "'libraries'", hint=hint).items():
            path: KeyPath = ("libraries", name)
            self._identifier(name, path, "library")
            if file := self._text(value, path):
                yield LibrarySpec(name, file, self.source.where(path))

    def _default(self, node: Node | None, path: KeyPath) -> str | None:
        if node is None or isinstance(node, Scalar):
            return None if node is None else _as_text(node)
        hint = "write JSON in quotes: '[1, 2]'"
        self._report("wrong-type", path, f"a default must be a string, not {_kind(node)}", hint)
        return None

    def _identifier(self, name: str, path: KeyPath, what: str) -> None:
        if name.isidentifier() and not name.startswith("_"):
            return
        message = f"{shown(name)} is not a valid {what} name"
        hint = "use letters, digits and _, starting with a letter"
        if name.startswith("_") and name.strip("_").isidentifier() and what == "parameter":
            plain_name = name.lstrip("_")
            hint = f"declare it as {plain_name!r}; expressions refer to it as '_{plain_name}'"
            hint = Hint(hint, [Replacement(plain_name, name)])
        self._report("bad-name", path, message, hint, at_key=True)

    def _known_keys(self, table: dict[str, Node], path: KeyPath, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                if self._is_glued(key, (*path, key)):
                    continue
                foreign = foreign_keys.TOP_LEVEL.get(key, "") if not path else ""
                hint = foreign or nearest_hint(key, known) or f"the keys are: {', '.join(known)}"
                if key[:1].isspace():
                    hint = f"it begins with the invisible character U+{ord(key[0]):04X}; use spaces"
                message = f"unknown key {shown(key)}"
                self._report("unknown-key", (*path, key), message, hint, at_key=True)

    def _table(
        self, node: Node | None, path: KeyPath, what: str, *, filled: bool = False, hint: str = ""
    ) -> dict[str, Node]:
        """The entries of a map; an empty value is an empty map unless it must be filled."""
        if isinstance(node, Table):
            return {key: entry.value for key, entry in node.entries.items()}
        if node is not None and (filled or not _is_null(node)):
            message = f"{what} must be a map, not {_kind(node)}"
            self._report("wrong-type", path, message, hint, at_key=_is_null(node))
        return {}

    def _items(self, node: Node | None, path: KeyPath) -> list[Node]:
        if isinstance(node, Items):
            return node.items
        if node is not None and not _is_null(node):
            message = f"'links' must be a list, not {_kind(node)}"
            hint = "write one link per line: '- a -> b'"
            if isinstance(node, Scalar) and node.text.startswith("-"):
                hint = "put a space after each '-'"
            self._report("wrong-type", path, message, hint)
        return []

    def _text(self, node: Node | None, path: KeyPath, hint_of_map: str = "") -> str:
        if node is None or _is_null(node):
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        hint = "put it in quotes" if isinstance(node, Scalar) else hint_of_map
        message = f"{shown(str(path[-1]))} must be a string, not {_kind(node)}"
        self._report("wrong-type", path, message, hint)
        return ""

    def _flag(self, node: Node | None, path: KeyPath) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        if node is not None and not isinstance(value, bool):
            message = f"{shown(str(path[-1]))} must be true or false, not {_kind(node)}"
            self._report("wrong-type", path, message, foreign_keys.flag_hint(node))
        return value is True

    def _choice(self, node: Node | None, path: KeyPath, choices: Any) -> Any:
        known = get_args(choices)
        value = node.value if isinstance(node, Scalar) else None
        if node is None or value in known:
            return value
        message = f"{shown(str(path[-1]))} cannot be {_kind(node)}"
        meant = foreign_keys.CHOICES.get(str(value).lower())
        hint = nearest_hint(str(value), known)
        if meant and meant in known:
            hint = Hint(f"write {meant}", [NewValue(meant)])
        hint = hint or f"it can be {', '.join(known)}"
        self._report("wrong-type", path, message, hint)
        return None

    def _report(
        self, code: str, path: KeyPath, message: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        where = self.source.where_key(path) if at_key else self.source.where(path)
        self.problems.append(Problem(code, where, message, hint))


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _as_text(node: Scalar) -> str | None:
    """A default is kept as written: `1.0` stays `1.0`."""
    return None if node.value is None else node.text


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return "nothing" if node.value is None else shown(node.text)
    return "a list" if isinstance(node, Items) else "a map"
