"""Floor 5: the command line. Arguments in, a call of a lower floor, an exit code out."""
