"""Hosting: pipelines as long-lived tasks behind HTTP, or on a schedule."""
