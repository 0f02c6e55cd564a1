"""The durable frontier: which request is due, of which origin, and when it is asked again."""
