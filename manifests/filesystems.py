"""Finds the filesystem that a URI names: pyarrow's own, and where pyarrow has none, that of fsspec.

fsspec is not needed for what pyarrow opens (s3://, gs://, abfs://, hdfs://, hf://). It comes with many libraries, and
most of its filesystems need a package of their own, such as adlfs for az://.
"""

from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

_UNKNOWN = "Unrecognized filesystem type"

# pyarrow's own limit is 15 minutes: so long would nothing be said of a network that is not there.
_GCS_RETRY = "retry_limit_seconds"
_GCS_RETRY_S = 120

# What pyarrow says is what the dynamic loader said, a line for each place where it looked.
_HADOOP = (
    "pyarrow needs Java and Hadoop's client: install both, set JAVA_HOME and HADOOP_HOME, and "
    'CLASSPATH to what "hadoop classpath --glob" prints'
)


def filesystem_of(uri: str) -> tuple[Any, str]:
    """Return the `pyarrow.fs.FileSystem` of a URI and the path in it.

    Raises OSError and ValueError where the place cannot be opened, and ImportError where a package is missing; its
    message says which.
    """
    if uri.startswith(("gs://", "gcs://")) and f"{_GCS_RETRY}=" not in uri:
        uri += f"{'&' if '?' in uri else '?'}{_GCS_RETRY}={_GCS_RETRY_S}"
    try:
        filesystem, path = pafs.FileSystem.from_uri(uri)
    except pa.ArrowInvalid as error:
        if _UNKNOWN not in str(error):
            raise
        return _from_fsspec(uri)
    except OSError as error:
        if "libjvm" in str(error) or "libhdfs" in str(error):
            raise ImportError(_HADOOP) from error
        raise
    return filesystem, path


def _from_fsspec(uri: str) -> tuple[Any, str]:
    scheme = uri.partition("://")[0]
    try:
        import fsspec
    except ImportError as error:
        raise ImportError(f"pyarrow has no filesystem {scheme}; install fsspec, which may have it") from error
    if scheme not in fsspec.available_protocols():
        raise ValueError(f"neither pyarrow nor fsspec has a filesystem {scheme}")
    try:
        filesystem, path = fsspec.url_to_fs(uri)
    except TypeError as error:  # a filesystem that needs more than an address can say
        raise ValueError(str(error)) from error
    return pafs.PyFileSystem(pafs.FSSpecHandler(filesystem)), path
