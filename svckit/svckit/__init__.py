"""Plumbing of the Binglian services; knows no domain word."""
