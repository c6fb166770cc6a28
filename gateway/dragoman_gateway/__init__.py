"""Serve brokers to foreign clients. Nothing of it exists yet: this package keeps its name."""
