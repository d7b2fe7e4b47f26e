"""Floor 5: what pytest sees. Hooks, options, markers and fixtures hand over to the runtime."""
