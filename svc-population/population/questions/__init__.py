"""Questions about people: a filter language with checked types, and its two translations, for documents and for columns. Pure."""
