"""Files as a worker on another machine sees them: what cannot be read says where."""

from __future__ import annotations

from engine.errors import DataError
from engine.run.files import ProjectFiles
from engine.run.files.names import is_local
from engine.sdk.files import FileContent


class NodeFiles(ProjectFiles):
    """The files of a node."""

    def __init__(self, files: ProjectFiles, node: str) -> None:
        self.__dict__.update(files.__dict__)
        self._node = node

    def read(self, name: str) -> FileContent:
        try:
            return super().read(name)
        except DataError as error:
            if not is_local(self.locate(name)):
                raise
            raise DataError(
                error.error,
                f"{error.reason} on the node {self._node}",
                "what the workers read must be there under the same path on every node; "
                "put it there, or into the image",
            ) from error
