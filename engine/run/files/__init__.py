"""Files by URL: local ones directly, `sldb:///` inside the project, other schemes through fsspec.

A file is written aside and renamed when it is complete, so that a failure, a Ctrl-C or a power cut
never leaves half a file under the name that others read. What a snap may name is `access`'s matter.
"""

from engine.run.files.project import ProjectFiles

__all__ = ["ProjectFiles"]
