"""Exports: residents as files, and the collection forms for field tools."""
