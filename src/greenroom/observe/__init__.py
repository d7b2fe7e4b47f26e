"""What one test did: the facts that were seen, and what they say."""
