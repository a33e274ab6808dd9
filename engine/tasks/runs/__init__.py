"""Tasks that run to completion: triggered by a call, or on a schedule."""
