"""Feeds of departments out of files: the same path as their streams, row by row."""
