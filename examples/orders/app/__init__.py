"""Users and their orders, for a shop's front end."""
