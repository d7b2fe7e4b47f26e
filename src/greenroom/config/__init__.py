"""Floor 1: every option, declared once, and where its value comes from."""
