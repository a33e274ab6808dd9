"""Servers under load: our load generator, the servers compared, soak and kill runs."""
