"""Evidence on the wire: what venues said, kept in files, served again, recorded and redacted."""
