"""The dialects of feeds, one module each, and what they share."""
