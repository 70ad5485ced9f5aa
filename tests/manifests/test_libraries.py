"""A missing optional library is named together with the command that installs it."""

import sys
from pathlib import Path

import pytest

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version


def test_an_installed_library_is_imported() -> None:
    assert library("pyarrow.parquet", "a test", extra("audit")) is sys.modules["pyarrow.parquet"]
    assert library_version("pyarrow", "a test", extra("audit")).count(".") >= 1


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(EngineUnavailable) as error:
        library("no_such_package.inner", "the audit", extra("audit"))
    assert str(error.value) == "the audit needs the package no_such_package: pip install 'parley[audit]'"
    with pytest.raises(EngineUnavailable) as error:
        library_version("no-such-distribution", "whisper", extra("recognizers"))
    assert str(error.value) == "whisper needs the package no-such-distribution: pip install 'parley[recognizers]'"


def test_what_a_library_itself_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_another.py").write_text("import no_such_package.deep\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineUnavailable, match="whisper needs the package no_such_package:"):
        library("needs_another", "whisper", extra("recognizers"))


def test_a_library_that_does_not_load_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words are quoted, without the path of this machine that Python puts into them."""
    (tmp_path / "uses_it.py").write_text("from of_another_release import gone\n")
    (tmp_path / "of_another_release.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineUnavailable) as error:
        library("uses_it", "whisper", extra("recognizers"))
    message = str(error.value)
    assert message.startswith("whisper: the package uses_it does not load (cannot import name 'gone'")
    assert "of_another_release.py" in message and str(tmp_path) not in message
