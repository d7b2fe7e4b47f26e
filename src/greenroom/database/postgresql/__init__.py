"""PostgreSQL: the server that is used, templates in it, and a worker's private database."""
