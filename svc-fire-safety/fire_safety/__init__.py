"""Places, inspections and hazards."""
