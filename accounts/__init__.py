"""People who sign in: editors, moderators, operators."""
