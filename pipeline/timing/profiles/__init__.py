"""Holds the timing profiles that Parley ships, as YAML."""
