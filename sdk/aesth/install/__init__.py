"""Putting the plugins where other programs find them, and taking exactly that back."""
