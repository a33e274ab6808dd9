"""Ultra tasks: a feed master, its instances, and how requests become documents."""
