"""JSON lines through several snaps as one generated function, over records of what is read.

The plain way makes a dict of each line, and calls each snap with lists of dicts. Here the steps of
all snaps (engine.expressions.steps) are compiled together: a msgspec struct holds only the paths
that are read, a snap's output is only a set of local variables, and what leaves is encoded from a
struct as well. The function knows no errors: whatever is unusual raises, and the caller gives the
same lines to the plain way, which is right by definition.
"""

from engine.expressions.records.program import OddError, Site
from engine.expressions.records.run import Records
from engine.expressions.records.shapes import LineShape, UnknownShapeError
from engine.expressions.records.state import UnfusableError

__all__ = ["LineShape", "OddError", "Records", "Site", "UnfusableError", "UnknownShapeError"]
