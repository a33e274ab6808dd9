"""All that a snap may import of the engine."""
