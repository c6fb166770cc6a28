"""Alpaca's own words: the shapes of its requests, its responses and its stream frames.

Nothing here knows the library's models.
"""
