"""Holds the recipes that Parley ships, as YAML."""
