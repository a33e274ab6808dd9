"""JSONPath: where values stand in a document, to be read, written and deleted."""
