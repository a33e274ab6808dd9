"""What the snaps that direct the flow share."""
