"""Benchmarks: ratios of two things run interleaved in one call, with medians. Run by `make bench`."""
