"""A snap that lacks the method for its documents."""

from engine.sdk import Document, Settings, Snap


class Idle(Snap[Settings]):
    def proces(self, document: Document) -> Document:
        return document
