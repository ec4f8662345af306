"""Statistics that say nothing about single people: small counts are withheld, and so is what would give them away. Pure."""
