"""Privacy by construction: field encryption and its keys, the audit of every look, people's rights, retention, what is never kept."""
