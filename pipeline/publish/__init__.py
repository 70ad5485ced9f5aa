"""Publishes a corpus: Parquet that a viewer plays, a card, a Croissant file, and the upload."""
