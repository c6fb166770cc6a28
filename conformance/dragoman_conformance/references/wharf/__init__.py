"""Wharf, a toy venue with REST requests that are signed and one WebSocket, spoken both ways."""
