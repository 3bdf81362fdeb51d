"""git-credential-hf and what people use in its place, side by side: `scripts/bench`."""
