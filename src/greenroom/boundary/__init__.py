"""Floor 2: fakes for what is outside of the app."""
