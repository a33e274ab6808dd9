"""Nodes -> Python code objects: `careful` checks each step, `fast` bets on the usual types."""
