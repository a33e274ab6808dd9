"""The import contract of the snap library; `lint-imports` runs it along with the built-in types.

A family is a folder of the library, and `shared` in it is what its snaps have in common. The rule
is stated on module names alone, so a family that is added later is under it from its first file.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

SHARED = "shared"


class SnapFamilies(Contract):
    """A module of the library imports its family's `shared`, the library's `shared`, and the sdk.

    So snaps do not import each other, families do not import each other, and `shared` imports no
    snap. Everything else that the linter looks at is out of bounds too: the engine behind the sdk,
    and the packages themselves (a package's `__init__` runs before each of its snaps).
    """

    type_name = "snap_families"

    library = fields.StringField()
    sdk = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        library = str(self.library)
        broken = [
            (importer, imported, _line(graph, importer, imported))
            for importer in sorted({library, *graph.find_descendants(library)})
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._allows(importer, imported)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported, line in check.metadata["broken"]:
            output.print_error(f"{importer} must not import {imported} (line {line})", bold=False)

    def _allows(self, importer: str, imported: str) -> bool:
        library = str(self.library)
        shared = [f"{library}.{SHARED}"]
        family = importer.split(".")[1:2]
        if family:
            shared.append(f"{library}.{family[0]}.{SHARED}")
            if family == [SHARED]:
                shared = shared[:1]
        return imported == str(self.sdk) or any(
            imported == package or imported.startswith(f"{package}.") for package in shared
        )


def _line(graph: ImportGraph, importer: str, imported: str) -> int:
    details = graph.get_import_details(importer=importer, imported=imported)
    return min((detail["line_number"] for detail in details), default=0)
