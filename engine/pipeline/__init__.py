"""Pipeline files: YAML text becomes a PipelineSpec with the place of every key."""
