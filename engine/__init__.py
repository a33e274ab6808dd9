"""An open engine that runs SnapLogic-style snap pipelines."""
