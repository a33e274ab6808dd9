"""One run on several processes: a coordinator, and workers that a placement provides."""
