"""A snap whose module fails when it is imported."""

from engine.sdk import Document, Settings, Snap

LIMIT = int("ten")


class BrokenWord(Snap[Settings]):
    def process(self, document: Document) -> Document:
        return document
