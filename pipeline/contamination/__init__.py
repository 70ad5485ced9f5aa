"""Looks in a finished corpus for what should not be there: texts of benchmarks, and personal data."""
