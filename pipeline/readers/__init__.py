"""Input files of many formats, read as one stream of rows; bad rows are rows with a reason."""

from pipeline.readers.formats import formats
from pipeline.readers.language import detect_language
from pipeline.readers.read import detect_format, read_rows
from pipeline.readers.rows import SourceRow, SourceTurn

__all__ = ["SourceRow", "SourceTurn", "detect_format", "detect_language", "formats", "read_rows"]
