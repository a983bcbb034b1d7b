"""From an inbound message to a finished answer."""
