"""A snap that logs in."""

from engine.sdk import Account, BasicAccount, BearerAccount, Document, Settings, Snap, setting


class CourierSettings(Settings):
    account: Account[BasicAccount | BearerAccount] = setting(help="Who logs in.")


class Courier(Snap[CourierSettings]):
    def process(self, document: Document) -> Document:
        return document
