"""A snap in a file of another name."""

from engine.sdk import Document, Settings, Snap


class Misfiled(Snap[Settings]):
    def process(self, document: Document) -> Document:
        return document
