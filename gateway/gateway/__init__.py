"""REST, web pages and sign-in in front of the services."""
