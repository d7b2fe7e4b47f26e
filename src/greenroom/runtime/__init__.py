"""Floor 4: one run in one process, and one test in it. Wires the floors below together."""
