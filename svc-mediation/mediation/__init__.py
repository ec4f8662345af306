"""Cases worked by many departments at once."""
