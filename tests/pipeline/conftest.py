"""Fixtures of tests that run whole jobs with the tone engines, and an S3 server of their own."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.storage import open_place
from tests.pipeline.tone_job import (
    ROWS,
    make_job,
    run_tone,
)


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "rows.json"
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def finished(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "corpus"
    run_tone(make_job(input_file), out)
    return out


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URIs of a fresh bucket of a real S3 server on this machine: `bucket.format(path)`.

    All servers of a process share what they hold.
    """
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    query = f"endpoint_override={host}%3A{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
    template = f"s3://someone:secret@bucket-{uuid.uuid4().hex}/{{}}?{query}"
    open_place(template.format("")).make_directory()
    yield template
    server.stop()
