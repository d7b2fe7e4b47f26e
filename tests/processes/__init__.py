"""Runs in processes of their own: how they start, share and end."""
