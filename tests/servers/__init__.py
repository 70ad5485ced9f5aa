"""Servers that tests can trust to behave, or to misbehave, in a known way."""
