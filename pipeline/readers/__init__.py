"""Read input files of many formats as one stream of rows; a bad row is a row with a reason."""

from pipeline.readers.formats import formats
from pipeline.readers.language import detect_language
from pipeline.readers.read import detect_format, read_rows
from pipeline.readers.rows import SourceRow, SourceTurn

__all__ = ["SourceRow", "SourceTurn", "detect_format", "detect_language", "formats", "read_rows"]
