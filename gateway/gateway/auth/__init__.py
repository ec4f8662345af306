"""Sign-in for people and systems when the gateway is its own issuer: tokens, keys, accounts, sessions of the web pages.

A real OIDC issuer replaces all of it by configuration (BINGLIAN_ISSUER, BINGLIAN_JWKS_URL).
"""
