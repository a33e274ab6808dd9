"""Plans: a PipelineSpec is checked against the installed snaps and compiled."""
