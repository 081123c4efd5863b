"""Readers who asked for something by e-mail: what they follow, and the digests they get."""
