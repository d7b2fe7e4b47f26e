"""Floor 2: find the app, load it, run its lifespan, override its dependencies."""
