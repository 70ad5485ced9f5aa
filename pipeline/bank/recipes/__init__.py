"""The bank recipes that ship."""
