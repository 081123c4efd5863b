"""Feeds: fetched, read and turned into articles."""
