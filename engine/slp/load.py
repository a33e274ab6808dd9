"""An exported pipeline as a spec, so that it can be run without importing it first."""

from __future__ import annotations

from pathlib import Path

from engine.pipeline import PipelineSpec
from engine.pipeline.load import parse_imported, read
from engine.registry import Registry
from engine.slp.export_file import MAX_BYTES, read_export
from engine.slp.naming import name_of
from engine.slp.pipeline_import import ImportContext, import_pipeline


def load_export(path: str | Path, registry: Registry) -> PipelineSpec:
    """The pipeline of a .slp; places in it are those of its YAML. Raises ConfigurationError."""
    data = read(path, "pipeline file", limit=MAX_BYTES)
    folder = Path(path).parent

    def pipeline_file(reference: str) -> str:
        name = reference.strip().rpartition("/")[2].removesuffix(".slp")
        stored = f"{name}.slp"
        return stored if (folder / stored).is_file() else f"{name_of(name, 'pipeline')}.yaml"

    context = ImportContext(
        registry, registry.by_foreign_id(), pipeline_file, lambda file: file, inline=True
    )
    structure = context.structure(read_export(data, str(path)))
    made = import_pipeline(structure, context, Path(path).stem)
    return parse_imported(made.text, str(path))
