"""What the snaps of the transform family share."""
