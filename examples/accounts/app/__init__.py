"""Accounts: registration, login, and the users behind them."""
