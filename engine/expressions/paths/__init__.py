"""JSONPath: reading, writing and deleting values by their place in a document."""
