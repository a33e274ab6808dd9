"""What the snaps of the family for files share."""
