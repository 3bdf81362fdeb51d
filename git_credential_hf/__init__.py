"""A git credential helper for Hugging Face."""

__version__ = "0.1.0"
