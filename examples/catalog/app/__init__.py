"""A catalogue of items: api, services and repositories, on PostgreSQL."""
