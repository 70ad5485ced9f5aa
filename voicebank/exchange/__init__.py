"""Imports voices from other programs' files, and exports them to such files."""
