"""SnapLogic's own files: import of pipelines, tasks, libraries and accounts, export, coverage."""
