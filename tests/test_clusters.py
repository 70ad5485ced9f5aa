"""The examples of docs/clusters.md are YAML and shell, start this Ray and the image that is built, and hold no key."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import yaml

PAGE = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_job_of_kubernetes_starts_this_ray_with_a_token() -> None:
    job = yaml.safe_load(block("yaml"))
    spec = job["spec"]["rayClusterSpec"]
    assert (job["kind"], spec["rayVersion"], spec["authOptions"]) == ("RayJob", version("ray"), {"mode": "token"})
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    containers = [one for group in groups for one in group["template"]["spec"]["containers"]]
    assert {one["image"].rpartition("/")[2] for one in containers} == {"parley:gpu"}
    assert all("envFrom" in one for one in containers)
    (volumes,) = [group["template"]["spec"]["volumes"] for group in spec["workerGroupSpecs"]]
    assert {one["name"] for one in volumes} == {mount["name"] for mount in containers[1]["volumeMounts"]}


def test_the_script_for_slurm_is_shell_that_asks_for_a_token() -> None:
    script = block("bash")
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "RAY_AUTH_MODE=token" in script
    starts = re.findall(r"ray start .*", script)
    assert [("--head" in start, "--block" in start) for start in starts] == [(True, True), (False, True)]
