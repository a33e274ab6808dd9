"""The accounts that a pipeline names: where their files are, and whether they are what it needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from engine.errors import ConfigurationError, Problem
from engine.expressions import analyse
from engine.expressions.nodes import Root
from engine.locations import Location
from engine.pipeline.spec import SnapSpec
from engine.plan.collector import ProblemCollector, declare_hint, nearest_of
from engine.plan.folders import is_file, local_path
from engine.registry import Registry
from engine.sdk.settings import (
    Account,
    AccountPerDocument,
    Settings,
    nearest_hint,
    settings_of,
    shown,
)

if TYPE_CHECKING:
    from engine.pipeline.account_file import AccountFile
    from engine.pipeline.computed_account import ComputedAccount
    from engine.sdk.accounts import AccountKind

FOLDER = "accounts"
_EXTENSIONS = (".yaml", ".yml")


class Accounts:
    """The account files of a pipeline.

    They are in the folder `accounts` beside the pipeline file, or beside one of its parent folders
    up to the project; the nearest file of a name counts. `environment` fills in `${env:NAME}`.
    """

    def __init__(
        self, folder: str, project: str, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._folders = tuple(_folders(Path(folder), Path(project)))
        self._project = project
        self._environment = environment
        self._read: dict[tuple[str, tuple[type[AccountKind], ...]], AccountFile | None] = {}
        self._elsewhere: dict[tuple[str, str], Accounts] = {}

    def in_folder(self, folder: str, project: str) -> Accounts:
        """The accounts of another pipeline that the run starts; each file is read once."""
        key = folder, project
        if key not in self._elsewhere:
            self._elsewhere[key] = self._for(folder, project)
        return self._elsewhere[key]

    def _for(self, folder: str, project: str) -> Accounts:
        return Accounts(folder, project, self._environment)

    def read(self, name: str, accepted: tuple[type[AccountKind], ...]) -> AccountFile | None:
        """The account of that name, of an `accepted` or a built-in kind; None if there is none.

        Raises ConfigurationError if its file cannot be opened.
        """
        key = name, accepted
        if key not in self._read:
            path = self._find(name)
            self._read[key] = None if path is None else self._load(path, accepted)
        return self._read[key]

    def names(self) -> list[str]:
        """The names of all accounts, for messages."""
        return list(self.files())

    def files(self) -> dict[str, Path]:
        """The file of each account by the name that a pipeline uses."""
        found: dict[str, Path] = {}
        for folder in self._folders:
            for file in sorted(folder.rglob("*")):
                if file.suffix in _EXTENSIONS and file.is_file():
                    found.setdefault(file.relative_to(folder).with_suffix("").as_posix(), file)
        return found

    def candidates(self, name: str) -> list[Path]:
        """Where the file of an account may be; the first that exists counts."""
        if not _is_name(name):
            return []
        return [folder / f"{name}{end}" for folder in self._folders for end in _EXTENSIONS]

    def _find(self, name: str) -> Path | None:
        return next(filter(is_file, self.candidates(name)), None)

    def _load(self, path: Path, accepted: tuple[type[AccountKind], ...]) -> AccountFile:
        # most pipelines have no account
        from engine.pipeline.account_file import load_account
        from engine.sdk.accounts.builtin import BUILTIN_KINDS

        file = load_account(_shown_path(path), (*BUILTIN_KINDS, *accepted), self._environment)
        return located(file, _folder_above(path), self._project)


def located(file: AccountFile, folder: str, project: str) -> AccountFile:
    """The same with full paths for files that the account names, relative to the folder."""

    def locate(name: str) -> str:
        found = local_path(name, folder, project)
        return name if found is None else str(found)

    if file.computed is not None:
        computed = msgspec.structs.replace(file.computed, locate=locate)
        return msgspec.structs.replace(file, computed=computed)
    if file.account is None:
        return file
    return msgspec.structs.replace(file, account=file.account.located(locate))


def is_accepted(file: AccountFile, accepted: tuple[type[AccountKind], ...]) -> bool:
    return file.kind is not None and issubclass(file.kind, accepted)


def kinds_in_words(kinds: Iterable[type[AccountKind]]) -> str:
    return " or ".join(repr(kind.kind) for kind in kinds)


def check_accounts(
    spec: SnapSpec, settings: Settings, collector: ProblemCollector, accounts: Accounts
) -> None:
    """Report accounts that do not exist, have mistakes, or are of another kind."""
    for name in settings_of(type(settings)):
        value = getattr(settings, name)
        if isinstance(value, Account):
            where = collector.setting(spec.label, (name,))
            if value.expression is not None:
                _check_expression(spec, name, value, collector)
            elif value.value is not None:
                _check_account(value.value, value, where, collector, accounts)


def _check_account(
    name: str,
    setting: Account[AccountKind],
    where: Location,
    collector: ProblemCollector,
    accounts: Accounts,
) -> None:
    try:
        file = accounts.read(name, setting.kinds)
    except ConfigurationError as error:
        collector.report("unknown-account", where, str(error), "check the file's permissions")
        return
    if file is None:
        message = f"there is no account {shown(name)}"
        hint = nearest_of(name, accounts.names(), "accounts")
        collector.report(
            "unknown-account", where, message, hint or f"write it as {FOLDER}/{name}.yaml"
        )
        return
    for problem in file.problems:
        collector.add(problem)
    if file.computed is not None:
        _check_parameters(file.computed, collector)
    if file.kind is not None and not is_accepted(file, setting.kinds):
        message = f"the account {shown(name)} is of kind {file.kind.kind!r}"
        hint = f"the snap needs one of kind {kinds_in_words(setting.kinds)}"
        collector.report("wrong-account", where, message, hint)


def _check_parameters(account: ComputedAccount, collector: ProblemCollector) -> None:
    """Report parameters that the account reads and the pipeline that uses it does not declare."""
    known = [f"_{parameter.name}" for parameter in collector.spec.parameters]
    for field in account.fields:
        for name in analyse(field.text).parameters:
            if f"_{name}" not in known and not collector.may_be_lost(name):
                hint = nearest_hint(f"_{name}", known) or declare_hint(name)
                message = f"the pipeline does not declare the parameter '_{name}' of this account"
                collector.add(Problem("unknown-parameter", field.where, message, hint))


def _check_expression(
    spec: SnapSpec, name: str, setting: Account[AccountKind], collector: ProblemCollector
) -> None:
    """Report a name that depends on the document where the account is chosen once per run."""
    assert setting.expression is not None  # the caller has looked
    found = analyse(setting.expression.text)
    if isinstance(setting, AccountPerDocument) or found.node is None:
        return
    if any(isinstance(node, Root) for node in found.node.walk()):
        where = collector.setting(spec.label, (name,))
        message = "the account is chosen once per run, so it cannot depend on the document"
        hint = "use a parameter of the pipeline, such as '= _account'"
        collector.report("wrong-account", where, message, hint)


def _folders(folder: Path, project: Path) -> Iterator[Path]:
    """The nearest first."""
    inside = folder == project or project in folder.parents
    for parent in (folder, *folder.parents) if inside else (folder, project):
        yield parent / FOLDER
        if parent == project:
            break


def _folder_above(path: Path) -> str:
    """The folder that holds `accounts/`."""
    while path.name != FOLDER and path.parent != path:
        path = path.parent
    return str(path.parent)


def _shown_path(path: Path) -> str:
    """The path as a user would write it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _is_name(name: str) -> bool:
    """Whether it may be the name of a file below `accounts`: it cannot lead out of it."""
    parts = PurePosixPath(name).parts
    return (
        name.isprintable()
        and "\\" not in name
        and str(PurePosixPath(*parts)) == name
        and not name.startswith("/")
        and bool(parts)
        and all(part.strip(". ") for part in parts)
    )


def problems_of_account(text: str | bytes, path: str, registry: Registry) -> list[Problem]:
    """All problems of an account file."""
    from engine.pipeline.account_file import parse_account
    from engine.sdk.accounts.builtin import BUILTIN_KINDS

    file = parse_account(text, path, BUILTIN_KINDS)
    if file.kind is None:  # perhaps the kind of a package
        file = parse_account(text, path, (*BUILTIN_KINDS, *_kinds_accepted(registry)))
    return list(file.problems)


def _kinds_accepted(registry: Registry) -> Iterator[type[AccountKind]]:
    """The kinds that installed snaps accept. Imports all snaps."""
    for _, snap in registry.usable():
        for fact in settings_of(snap.settings_class).values():
            yield from _kinds_in(fact.type)


def _kinds_in(kind: Any) -> Iterator[type[AccountKind]]:
    from engine.sdk.accounts import AccountKind

    if isinstance(kind, type) and issubclass(kind, AccountKind):
        yield kind
    for argument in get_args(kind):
        yield from _kinds_in(argument)
