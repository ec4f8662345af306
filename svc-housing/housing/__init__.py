"""Areas, grids, buildings and houses."""
