"""How dates are written in a language of which Django knows one country's way alone."""
