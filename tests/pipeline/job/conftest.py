"""A real S3 server of the tests' own, on this machine."""

import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from manifests.storage import open_place


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URIs of a fresh bucket: `bucket.format(path)`. All servers of a process share what they hold."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    query = f"endpoint_override={host}%3A{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
    template = f"s3://someone:secret@bucket-{uuid.uuid4().hex}/{{}}?{query}"
    open_place(template.format("")).make_directory()
    yield template
    server.stop()
