class ConflictError(Exception):
    """It can't be done as things stand."""
