"""What lies in these folders is other projects' suites: test_before_after.py runs them."""

collect_ignore = ["before_after"]
