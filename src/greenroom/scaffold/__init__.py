"""What `greenroom init` proposes: files are planned as values first, and written later."""
