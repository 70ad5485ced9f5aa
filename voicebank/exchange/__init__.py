"""Voices from and to other programs' files."""
