"""Floor 2: find the app's engines, point them at private databases, reset those."""
