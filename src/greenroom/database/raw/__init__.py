"""Connections that an app opens by a driver itself, without SQLAlchemy."""
