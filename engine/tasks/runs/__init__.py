"""Tasks that run from start to end: triggered by a call, or at their time."""
