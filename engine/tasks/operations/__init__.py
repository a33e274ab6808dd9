"""What a server tells of itself: counts, metrics, logs, and its state."""
