"""What the snaps of the REST family share: addresses, entities, answers."""
