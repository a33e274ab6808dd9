"""The local runtime: batches, bounded channels, error views, statistics."""
