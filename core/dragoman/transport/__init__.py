"""Bytes between here and a venue. Knows requests, lines and messages, but no order and no model."""
