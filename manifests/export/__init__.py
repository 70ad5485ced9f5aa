"""Exporters: a finished corpus in the files that another program reads. One module for each format."""
