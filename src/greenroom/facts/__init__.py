"""Floor 0: frozen, picklable values and the errors. Imports nothing of greenroom."""
