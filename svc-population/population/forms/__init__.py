"""Forms of what is done at the door come back from an ODK server: submissions as requests of whoever brings them."""
