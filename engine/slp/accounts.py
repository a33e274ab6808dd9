"""Accounts (.sla) as account files: names and addresses; secrets stay behind as `${env:…}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.pipeline.environment import escaped
from engine.slp.export_file import SlpError, read_json
from engine.slp.imported import ImportedFile
from engine.slp.literals import string_literal
from engine.slp.naming import name_of
from engine.slp.stored import Leaf, flat, text_of
from engine.slp.yaml_text import to_yaml

_DIALECTS = {
    "mysql": "mysql",
    "postgres": "postgresql",
    "sqlserver": "sqlserver",
    "azuresql": "sqlserver",
    "oracle": "oracle",
    "redshift": "redshift",
    "snowflake": "snowflake",
}
_POOL = {
    "autoCommit": ("auto_commit", True),
    "batchSize": ("batch_size", 50),
    "fetchSize": ("fetch_size", 100),
    "maxPoolSize": ("max_pool_size", 50),
}


def import_account(data: bytes, path: str) -> ImportedFile:
    """The account file for a .sla. Raises SlpError."""
    root = read_json(data, path)
    properties = root.get("property_map")
    class_id = str(root.get("class_id") or "")
    if not isinstance(properties, Mapping) or not class_id:
        raise SlpError(f"{path!r} is not an exported account: it has no 'property_map'")
    label = text_of((properties.get("info") or {}).get("label")) or "account"
    return _Account(class_id, label, properties.get("settings") or {}).result()


class _Account:
    def __init__(self, class_id: str, label: str, settings: Mapping[str, Any]) -> None:
        self.class_id = class_id
        self.label = label
        self.name = name_of(label, "account")
        self.stored = {key: leaf for key, leaf in flat(settings).items() if isinstance(leaf, Leaf)}
        self.variables: list[str] = []

    def result(self) -> ImportedFile:
        content = self._content()
        warnings = []
        header = [] if name_of(self.label) == self.label else [f"SnapLogic called it: {self.label}"]
        if content is None:
            warnings.append(f"accounts of the class {self.class_id} are not supported")
            content = {"account": self.class_id}
            header.append("This kind of account is not supported here.")
        if self.variables:
            warnings.append(f"secrets are not in exports; set {', '.join(self.variables)}")
        return ImportedFile(
            name=f"accounts/{self.name}.yaml",
            kind="account",
            content=to_yaml(content, tuple(header)).encode(),
            warnings=tuple(warnings),
        )

    def _content(self) -> dict[str, Any] | None:
        kinds: Mapping[str, Callable[[], dict[str, Any]]] = {
            "basicauthaccount": self._basic,
            "headerauthaccount": self._header,
            "oauth2account": self._oauth2,
            "smtpaccount": self._smtp,
            "s3account": self._s3,
            "s3dynamicaccount": self._s3,
        }
        for ending, make in kinds.items():
            if self.class_id.endswith(ending):
                return make()
        if "-sql-accounts-" in self.class_id:
            kind = self.class_id.rpartition("-")[2]
            dialect = next((d for name, d in _DIALECTS.items() if kind.startswith(name)), "")
            return self._sql(dialect) if dialect else None
        return None

    def _basic(self) -> dict[str, Any]:
        return {
            "account": "basic",
            "username": self._text("username", "username"),
            "password": self._variable("password"),
        }

    def _header(self) -> dict[str, Any]:
        return {"account": "header", "headers": {"Authorization": self._variable("header")}}

    def _oauth2(self) -> dict[str, Any]:
        content = {
            "account": "oauth2",
            "token_url": self._text("token_endpoint", "token_url"),
            "client_id": self._text("client_id", "client_id"),
            "client_secret": self._variable("client_secret"),
        }
        if scope := self._given("scope"):
            content["scope"] = scope
        return content

    def _smtp(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "account": "smtp",
            "server_domain": self._text("serverDomain", "server_domain"),
        }
        port = self._given("port")
        if port.isdecimal() and port != "465":
            content["port"] = int(port)
        if (secure := self._given("secureConnection").lower()) in ("tls", "none"):
            content["secure_connection"] = secure
        if email := self._given("emailId"):
            content["email_id"] = email
        return {**content, "password": self._variable("password")}

    def _s3(self) -> dict[str, Any]:
        return {
            "account": "s3",
            "access_key_id": self._variable("access_key_id"),
            "secret_key": self._variable("secret_key"),
        }

    def _sql(self, dialect: str) -> dict[str, Any]:
        content: dict[str, Any] = {"account": "sql", "dialect": dialect}
        fields = {
            "host": ("hostname", "endpoint", "accountName"),
            "port": ("port",),
            "database": ("databaseName", "dbName"),
            "username": ("username",),
        }
        for name, keys in fields.items():
            text = next(filter(None, (self._given(f"connectionProperties.{k}") for k in keys)), "")
            if text:
                content[name] = int(text) if name == "port" and text.isdecimal() else text
        content["password"] = self._variable("password")
        for key, (name, default) in _POOL.items():
            leaf = self.stored.get(f"advancedProperties.{key}", Leaf())
            if not leaf.is_unset and not leaf.is_expression and leaf.value != default:
                content[name] = leaf.value
        return content

    def _given(self, key: str) -> str:
        """A value that is neither secret nor an expression."""
        leaf = self.stored.get(key, Leaf())
        if leaf.is_unset or leaf.is_expression:
            return ""
        text = leaf.text
        return f"= {string_literal(text)}" if text.startswith("=") else escaped(text)

    def _text(self, key: str, name: str) -> str:
        return self._given(key) or self._variable(name)

    def _variable(self, name: str) -> str:
        variable = f"{self.name}_{name}".upper()
        self.variables.append(variable)
        return f"${{env:{variable}}}"
