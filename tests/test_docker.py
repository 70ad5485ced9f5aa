"""The container files: lint, structure, and that they stay in step with the Makefile and the distribution.

No image is built here. The Dockerfile is parsed by BuildKit's own parser, the ignore file is applied by Docker's SDK.
"""

import json
import re
import shlex
import subprocess
import sysconfig
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dockerfile
import jsonschema
import pytest
import yaml
from docker.utils.build import exclude_paths
from packaging.requirements import Requirement

from pipeline.engines.tts.cosyvoice.upstream import COMMIT

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
TARGETS = ("cpu", "gpu")
CONSTRAINTS = {"cpu": "constraints.txt", "gpu": "docker/constraints-gpu.txt"}
# Not in the Makefile's list: what the launcher of a cluster needs inside the container.
LAUNCHER_PACKAGES = {"openssh-client", "rsync"}
# In the Makefile's list or beside it, but already part of the Python that an image has.
WITH_PYTHON = {"python3-venv"}


def stages() -> dict[str, list[dockerfile.Command]]:
    """The commands of each stage after its FROM; those before the first FROM are under ""."""
    found: dict[str, list[dockerfile.Command]] = {"": []}
    name = ""
    for command in dockerfile.parse_file(str(DOCKER / "Dockerfile")):
        if command.cmd == "FROM":
            name = command.value[-1]
            found[name] = []
        else:
            found[name].append(command)
    return found


def of(target: str, kind: str) -> list[tuple[str, ...]]:
    return [command.value for command in stages()[target] if command.cmd == kind]


def shell_commands(target: str) -> list[list[str]]:
    """The single commands of all RUN lines, each as its words."""
    lines = [part for (line,) in of(target, "RUN") for part in line.split("&&")]
    return [shlex.split(line) for line in lines]


def apt_packages(target: str) -> set[str]:
    installs = [words[2:] for words in shell_commands(target) if words[:2] == ["apt-get", "install"]]
    return {word for words in installs for word in words if not word.startswith("-")}


def make_variable(name: str) -> str:
    """The value that make itself gives the Makefile's variable."""
    show = f"show-variable: ; @echo $({name})"
    done = subprocess.run(
        ["make", "--silent", f"--eval={show}", "show-variable"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def torch_pin(text: str) -> str:
    (pin,) = re.findall(r"\btorch==(\d+(?:\.\d+)+)", text)
    return str(pin)


def built_from() -> set[str]:
    """The top-level names that the distribution is built from, as pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], *packages}


def pins(target: str) -> dict[str, str]:
    """The versions in a list of constraints, by package; of several, by the Python, the last."""
    text = (ROOT / CONSTRAINTS[target]).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def cluster() -> dict[str, Any]:
    loaded = yaml.safe_load((DOCKER / "ray-cluster.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_hadolint_finds_nothing() -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([linter, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_targets_and_their_bases() -> None:
    commands = dockerfile.parse_file(str(DOCKER / "Dockerfile"))
    bases = {command.value[-1]: command.value[0] for command in commands if command.cmd == "FROM"}
    assert set(bases) == {"uv", *TARGETS}
    assert re.fullmatch(r"python:3\.11(\.\d+)?-slim-bookworm\$\{CPU_DIGEST\}", bases["cpu"])
    assert re.fullmatch(r"nvidia/cuda:\d+\.\d+\.\d+-runtime-ubuntu24\.04\$\{GPU_DIGEST\}", bases["gpu"])
    assert all(base.endswith("_DIGEST}") for base in bases.values())
    assert {value for value in of("", "ARG") if value[0].endswith("_DIGEST=")} == {
        (f"{name}_DIGEST=",) for name in ("UV", "CPU", "GPU")
    }


@pytest.mark.parametrize("target", TARGETS)
def test_system_packages_are_those_of_the_makefile(target: str) -> None:
    wanted = set(make_variable("SYSTEM_PACKAGES").split()) - WITH_PYTHON
    assert wanted
    assert apt_packages(target) == wanted | LAUNCHER_PACKAGES


def test_torch_pin_is_that_of_the_makefile() -> None:
    (argument,) = [value for (value,) in of("", "ARG") if value.startswith("TORCH=")]
    assert torch_pin(argument) == torch_pin(make_variable("TORCH"))


@pytest.mark.parametrize("target", TARGETS)
def test_torch_comes_before_parley_and_parley_brings_the_engines(target: str) -> None:
    installs = [words for words in shell_commands(target) if words[:2] in (["pip", "install"], ["uv", "pip"])]
    assert [words[-1] for words in installs][:2] == ["${TORCH}", "/src[${EXTRAS}]"]
    assert len(installs) == (4 if target == "gpu" else 2)
    # uv checks the hashes that a constraint has, and lets through what has none.
    assert installs[1][-3:-1] == ["--constraint", f"/src/{CONSTRAINTS[target]}"]
    (extras,) = [value.removeprefix("EXTRAS=") for (value,) in of(target, "ARG") if value.startswith("EXTRAS=")]
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    on_gpus = {"gpu", "quality", "recognizers", "audioseal"} if target == "gpu" else set()
    assert set(extras.split(",")) == {"offline", "llm"} | on_gpus
    assert set(extras.split(",")) <= set(known)


@pytest.mark.parametrize(("target", "build"), [("cpu", r"cpu"), ("gpu", r"cu\d{3}")])
def test_one_argument_chooses_the_build_of_torch(target: str, build: str) -> None:
    (default,) = [value for (value,) in of(target, "ARG") if value.startswith("TORCH_BUILD=")]
    assert re.fullmatch(f"TORCH_BUILD={build}", default)
    (install,) = [words for words in shell_commands(target) if words[-1] == "${TORCH}"]
    assert install[-3:-1] == ["--index-url", "${TORCH_INDEX}/${TORCH_BUILD}"]


def test_cuda_of_the_gpu_build_is_that_of_its_base() -> None:
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    base = re.search(r"nvidia/cuda:(\d+)\.(\d+)\.", text)
    build = re.search(r"TORCH_BUILD=cu(\d+)", text)
    assert base and build
    assert "".join(base.groups()) == build.group(1)


@pytest.mark.parametrize("target", TARGETS)
def test_every_argument_that_is_used_is_declared(target: str) -> None:
    used = {name for (line,) in of(target, "RUN") for name in re.findall(r"\$\{(\w+)\}", line)}
    declared = {value.partition("=")[0] for (value,) in of(target, "ARG")}
    assert {"TORCH", "TORCH_BUILD", "EXTRAS"} <= used <= declared


@pytest.mark.parametrize("target", TARGETS)
def test_runs_the_demo_as_an_ordinary_user(target: str) -> None:
    (user,) = of(target, "USER")
    assert user == ("10001",)
    assert any(words[:3] == ["useradd", "--uid", "10001"] for words in shell_commands(target))
    assert [command.cmd for command in stages()[target] if command.cmd in ("RUN", "USER")][-1] == "USER"
    (command,) = [command for command in stages()[target] if command.cmd == "CMD"]
    assert command.json and command.value == ("parley", "demo")
    # Ray's launcher runs `docker run ... IMAGE bash`, which an entry point would take for its argument.
    assert of(target, "ENTRYPOINT") == []


@pytest.mark.parametrize("target", TARGETS)
def test_commands_are_found_by_a_login_shell(target: str) -> None:
    links = [words for words in shell_commands(target) if words[0] == "ln"]
    assert links == [["ln", "-s", "/opt/parley/bin/parley", "/opt/parley/bin/ray", "/usr/local/bin/"]]
    (venv,) = [words for words in shell_commands(target) if "venv" in words]
    assert venv[-1] == "/opt/parley"


OUTSIDE = (
    ".git/config",
    ".venv/pyvenv.cfg",
    ".env",
    "corpus/shard-00000.parquet",
    "demo/index.json",
    "docker/Dockerfile",
    "tests/test_docker.py",
    "pipeline/__pycache__/cli.cpython-311.pyc",
    "manifests/export/__pycache__/x.pyc",
)


def test_context_holds_the_distribution_and_nothing_else(tmp_path: Path) -> None:
    inside = {
        "manifests/export/kaldi.py",
        "pipeline/samples/instructions_zh.json",
        "prompts/LOCK",
        "voicebank/voice.py",
    }
    inside |= {name for name in built_from() if "." in name or name == "LICENSE"} | set(CONSTRAINTS.values())
    for name in {*inside, *OUTSIDE}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    kept = {name for name in exclude_paths(str(tmp_path), patterns) if (tmp_path / name).is_file()}
    assert kept == inside


def test_context_lets_through_what_an_image_is_built_from() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == built_from() | set(CONSTRAINTS.values())


@pytest.mark.parametrize("target", TARGETS)
def test_every_dependency_is_pinned_with_a_hash(target: str) -> None:
    text = (ROOT / CONSTRAINTS[target]).read_text(encoding="utf-8")
    entries = re.findall(r"^[\w.-]+==.*\n(?:    --hash=.*\n)*", text, re.MULTILINE)
    assert entries and [entry for entry in entries if "--hash=sha256:" not in entry] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - ({"gpu"} if target == "cpu" else set())
    lines = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    wanted = [Requirement(line) for line in lines]
    pinned = pins(target)
    lacking = [
        str(one)
        for one in wanted
        if one.name not in ("parley", "torch") and not one.specifier.contains(pinned.get(one.name.lower(), ""))
    ]
    assert lacking == [], "run make lock"


def test_what_decides_bytes_is_the_same_in_both_images() -> None:
    deciding = ("numpy", "pyarrow", "pypinyin", "regex", "soundfile", "soxr", "zhconv")
    differing = [name for name in deciding if pins("cpu")[name] != pins("gpu")[name]]
    assert differing == ["numpy"]  # vLLM's numba holds it back


def test_cluster_file_follows_the_schema_of_ray() -> None:
    spec = find_spec("ray")
    assert spec and spec.origin
    schema = json.loads((Path(spec.origin).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(cluster())


def test_cluster_starts_the_gpu_image_on_example_addresses() -> None:
    loaded = cluster()
    provider = loaded["provider"]
    assert loaded["docker"]["image"] == "parley:gpu"
    assert provider["type"] == "local"
    # 192.0.2.0/24 is set aside for documentation (RFC 5737): no real machine can be meant.
    assert all(address.startswith("192.0.2.") for address in [provider["head_ip"], *provider["worker_ips"]])


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("head_start_ray_commands", {"--head", "--port=6379"}),
        ("worker_start_ray_commands", {"--address=$RAY_HEAD_IP:6379"}),
    ],
)
def test_cluster_stops_an_old_node_before_it_starts_one(key: str, options: set[str]) -> None:
    first, second = (shlex.split(line) for line in cluster()[key])
    assert first == ["ray", "stop"]
    assert second[:2] == ["ray", "start"]
    assert options <= set(second)


def test_cluster_asks_for_a_token() -> None:
    loaded = cluster()
    assert "--env=RAY_AUTH_MODE=token" in loaded["docker"]["run_options"]
    assert loaded["file_mounts"] == {"/home/parley/.ray/auth_token": "~/.ray/auth_token"}
    assert "ray get-auth-token --generate" in (DOCKER / "ray-cluster.yaml").read_text(encoding="utf-8")


def test_readme_says_that_the_images_were_not_built() -> None:
    readme = (DOCKER / "README.md").read_text(encoding="utf-8")
    assert "The images were not built by us." in readme
    arguments = {value.partition("=")[0] for target in ("", *TARGETS) for (value,) in of(target, "ARG")}
    assert {f"`{name}`" for name in arguments - {"DEBIAN_FRONTEND"}} <= set(re.findall(r"`\w+`", readme))


def cosyvoice_page() -> str:
    return (ROOT / "docs" / "cosyvoice.md").read_text(encoding="utf-8")


def test_cosyvoice_is_the_commit_that_the_engine_was_tested_with() -> None:
    (commit,) = [value.removeprefix("COSYVOICE=") for (value,) in of("gpu", "ARG") if value.startswith("COSYVOICE=")]
    assert commit == COMMIT
    (added,) = of("gpu", "ADD")
    assert added == ("https://github.com/FunAudioLLM/CosyVoice.git#${COSYVOICE}", "/opt/cosyvoice")
    assert of("cpu", "ADD") == []


def test_cosyvoice_has_the_packages_that_its_page_lists() -> None:
    installs = [words[2:] for words in shell_commands("gpu") if words[:2] == ["pip", "install"]][1:]
    inside = {word for words in installs for word in words if not word.startswith("-")}
    (listed,) = re.findall(
        r"pip install ((?:[\w-]+==[\w.]+[ \\\n]*)+)", cosyvoice_page().split("## Installing it by hand")[1]
    )[:1]
    tested = set(re.findall(r"[\w-]+==[\w.]+", listed)) | set(re.findall(r"--no-deps (\S+)", cosyvoice_page()))
    # Parley and its extras bring these.
    assert inside == {pin for pin in tested if pin.split("==")[0] != "transformers"}


def test_cosyvoice_is_on_the_path_of_the_images_python() -> None:
    (line,) = [words for words in shell_commands("gpu") if words[:2] == ["python", "-c"]]
    assert "cosyvoice.pth" in line[2] and "/opt/cosyvoice" in line[2]
