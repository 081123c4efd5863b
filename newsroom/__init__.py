"""Newsroom: settings, addresses and the wiring between the apps."""
