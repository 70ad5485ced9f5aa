"""Recipes that ship, as YAML."""
