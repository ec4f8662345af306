"""Jobs: long work on many records, in processes of their own, with progress, cancel and resume."""
