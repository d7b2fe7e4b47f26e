"""MariaDB and MySQL: the named server, and a worker's private database, kept between runs."""
