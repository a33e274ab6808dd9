"""Accounts for a test: those it supplies take precedence over files."""

from __future__ import annotations

from collections.abc import Mapping

from engine.pipeline.account_file import AccountFile
from engine.plan.accounts import Accounts, located
from engine.sdk.accounts import AccountKind


class GivenAccounts(Accounts):
    """The accounts of a pipeline in this folder and project, with `given` ones on top.

    Names of files in a given account are relative to the pipeline's folder.
    """

    def __init__(self, folder: str, project: str, given: Mapping[str, AccountKind]) -> None:
        super().__init__(folder, project)
        self._accounts = given
        self._given = {
            name: located(AccountFile(name, type(account), account), folder, project)
            for name, account in given.items()
        }

    def read(self, name: str, accepted: tuple[type[AccountKind], ...]) -> AccountFile | None:
        return self._given.get(name) or super().read(name, accepted)

    def _for(self, folder: str, project: str) -> Accounts:
        return GivenAccounts(folder, project, self._accounts)

    def names(self) -> list[str]:
        return [*self._given, *super().names()]
