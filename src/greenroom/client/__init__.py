"""Floor 2: HTTP clients on the app, without a network."""
