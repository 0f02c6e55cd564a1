"""What words mean: phrases that refuse, names that mark. Data in TOML, and the folding that compares them."""
