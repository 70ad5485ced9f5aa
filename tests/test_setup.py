"""The set-up of system packages: silent where all is there, installs where it may, else one sentence."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "docker" / "system-packages.sh"


def run(tmp_path: Path, commands: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine that has just these commands, as shell lines, and the shell's own."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, line in {"grep": 'exec /usr/bin/grep "$@"', "python3": "exit 0", **commands}.items():
        (tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (tools / name).chmod(0o755)
    environment = {**os.environ, "PATH": str(tools), "LOG": str(tmp_path / "log")}
    return subprocess.run(
        ["/bin/sh", SCRIPT, "flite", "espeak-ng"], capture_output=True, text=True, env=environment, check=False
    )


HAS_FLITE = '[ "$4" = flite ] && echo "install ok installed"'
APT = 'echo "apt-get $@" >> "$LOG"'


def test_nothing_is_done_where_all_is_there(tmp_path: Path) -> None:
    result = run(tmp_path, {"dpkg-query": 'echo "install ok installed"', "id": "echo 1000"})
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("sudo", [{}, {"sudo": "exit 1"}])
def test_without_the_right_to_install_it_says_what_to_install(sudo: dict[str, str], tmp_path: Path) -> None:
    result = run(tmp_path, {"dpkg-query": HAS_FLITE, "id": "echo 1000", "apt-get": APT, **sudo})
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "sudo apt-get install espeak-ng\n" in result.stderr
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    "rights",
    [{"id": "echo 0"}, {"id": "echo 1000", "sudo": '[ "$1" = -n ] && exit 0; exec "$@"'}],
    ids=["root", "sudo without a password"],
)
def test_with_the_right_it_installs_what_is_missing(rights: dict[str, str], tmp_path: Path) -> None:
    tools = {"dpkg-query": HAS_FLITE, "apt-get": APT, "env": 'shift; exec "$@"', **rights}
    result = run(tmp_path, tools)
    assert result.returncode == 0, result.stderr
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[0].startswith("apt-get update")
    assert calls[1].startswith("apt-get install") and calls[1].endswith(" espeak-ng")


def test_a_python_that_cannot_make_environments_is_mended_too(tmp_path: Path) -> None:
    tools = {"dpkg-query": 'echo "install ok installed"', "id": "echo 1000", "python3": "exit 1"}
    result = run(tmp_path, tools)
    assert "apt-get install python3-venv" in result.stderr


def test_a_machine_without_apt_is_told_the_packages(tmp_path: Path) -> None:
    result = run(tmp_path, {"dpkg-query": HAS_FLITE, "id": "echo 0"})
    assert result.returncode == 1
    assert "espeak-ng" in result.stderr
