"""What the snaps of this family share."""
