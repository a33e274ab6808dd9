"""What several families of snaps share."""
