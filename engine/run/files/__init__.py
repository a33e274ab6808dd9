"""Files by URL: local ones directly, `sldb:///` inside the project, other schemes through fsspec.

A file is written under a hidden name and renamed when complete, so that a failure, Ctrl-C or a
power cut never leaves half a file under its real name. `access` decides what a snap may name.
"""

from engine.run.files.project import ProjectFiles

__all__ = ["ProjectFiles"]
