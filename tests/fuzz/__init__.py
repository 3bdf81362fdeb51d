"""Coverage-guided fuzz targets, one module each. scripts/fuzz runs them; the tests replay their seeds."""
