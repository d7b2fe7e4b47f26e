"""Floor 3: turn facts into text. Rendering only."""
