"""The one door through which requests leave: every address checked, every answer bounded."""
