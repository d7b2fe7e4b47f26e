"""Floor 2: payloads for requests, valid ones and those that must be refused."""
