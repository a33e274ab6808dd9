"""A snap that fails to check its settings."""

from collections.abc import Iterable

from engine.sdk import Document, Issue, Settings, Snap, setting

LIMITS = {"low": 1, "high": 9}


class ForgetfulSettings(Settings):
    level: str = setting(default="low", help="The level.")


class Forgetful(Snap[ForgetfulSettings]):
    @classmethod
    def check(cls, settings: ForgetfulSettings) -> Iterable[Issue]:
        if not LIMITS[settings.level]:
            yield Issue(("level",), "there is no such level")

    def process(self, document: Document) -> Document:
        return document
