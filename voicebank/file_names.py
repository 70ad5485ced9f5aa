"""Finds files by the names that lists of clips give them."""

import errno
import unicodedata

from manifests.storage import Place


def existing_file(directory: Place, path: str) -> Place | None:
    """Return the file at `path` below `directory`; None if there is none, or if no file can have such a name.

    A name may be written in another Unicode normal form than the file's own: macOS writes "é" as two characters.
    Raises OSError if the storage itself fails.
    """
    forms = [path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))]
    return next((directory / form for form in dict.fromkeys(forms) if _is_file(directory / form)), None)


def _is_file(place: Place) -> bool:
    try:
        return place.is_file()
    except ValueError:  # NUL, or half of a surrogate pair
        return False
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise
