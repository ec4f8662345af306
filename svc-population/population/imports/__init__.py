"""Imports: rows of a file as residents, judged one by one, written in bulk."""
