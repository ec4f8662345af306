"""Residents, households and where they live."""
