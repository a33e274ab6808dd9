"""What the snaps of databases share."""
