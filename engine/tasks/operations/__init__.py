"""What operators see of a server: counts, metrics, logs and its state."""
