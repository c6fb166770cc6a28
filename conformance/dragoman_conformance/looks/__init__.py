"""What suites look with: comparisons and probes that several scenarios share."""
