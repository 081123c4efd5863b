"""The core: what a reader reads. Knows nothing of feeds and notices."""
