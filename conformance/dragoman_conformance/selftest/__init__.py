"""The kit put to its own test: planted bugs, each of which must fail exactly what it breaks."""
