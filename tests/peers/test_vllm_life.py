"""How vLLM in process lives and dies: below a text engine, in a Ray actor, and when it or its parent is killed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from manifests.errors import EngineDied
from manifests.storage import Place, open_place
from pipeline.engines.contract import Failure, TextAnswer
from pipeline.engines.text._chat.vllm_model import open_generator
from pipeline.engines.text.vllm import VllmModel
from tests.peers.asking import ANSWER_S, text_requests, vllm_settings
from tests.peers.holder import Holder
from tests.peers.processes import engine_processes, gone_in_time
from tests.peers.servers import READY_S, ROOT, Checkpoints, need_vllm_here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * READY_S + ANSWER_S)]

CALLS, ROWS = 4, 8


@pytest.fixture
def settings(checkpoints: Checkpoints) -> VllmModel:
    need_vllm_here()
    return vllm_settings(checkpoints, guided="always")


def test_killed_core_ends_the_calls_and_a_fresh_engine_works(settings: VllmModel, tmp_path: Path) -> None:
    answers = open_place(tmp_path)
    with closing(_open(settings, answers)) as engine, ThreadPoolExecutor(CALLS) as threads:
        whole = engine.generate(text_requests("en", 2))
        core, *_ = processes = engine_processes()
        core.suspend()  # so that the calls are surely in flight
        calls = [threads.submit(engine.generate, text_requests("zh", ROWS)) for _ in range(CALLS)]
        time.sleep(1)
        core.kill()
        for call in calls:
            with pytest.raises(EngineDied, match="tiny-qwen3") as raised:
                call.result(timeout=ANSWER_S)
            assert "\n" not in str(raised.value)
    assert gone_in_time(processes)
    with closing(_open(settings, answers)) as fresh:
        assert [_said(answer) for answer in fresh.generate(text_requests("en", 2))] == [_said(one) for one in whole]
        assert any(isinstance(answer, TextAnswer) for answer in fresh.generate(text_requests("zh", ROWS)))


def test_several_units_in_flight_in_a_ray_actor(settings: VllmModel, ray_here: Any) -> None:
    actor = ray_here.remote(num_cpus=1, max_concurrency=CALLS + 1)(Holder).remote(settings)
    calls = [actor.generate.remote(language, ROWS) for language in ("en", "zh") for _ in range(CALLS // 2)]
    results = ray_here.get(calls, timeout=READY_S + ANSWER_S)
    assert [len(answers) for answers in results] == [ROWS] * CALLS
    assert all(isinstance(answer, TextAnswer | Failure) for answers in results for answer in answers)
    assert any(isinstance(answer, TextAnswer) for answers in results for answer in answers)
    processes = engine_processes()  # the actor is a descendant of this process
    assert processes
    ray_here.kill(actor)  # as when a job ends: nobody closes the engine
    assert gone_in_time(processes)


def test_kill_9_of_the_worker_leaves_no_process(settings: VllmModel) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-m", "tests.peers.holder"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin and holder.stdout
    with holder:
        # The model apart: what is dumped has no private path.
        holder.stdin.write(json.dumps(settings.model_dump(mode="json") | {"model": settings.model}) + "\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "ready\n"  # and nothing else: stdout is for data
        processes = engine_processes(holder.pid)
        assert processes and all(process.is_running() for process in processes)
        psutil.Process(holder.pid).kill()
    assert gone_in_time(processes)


@pytest.fixture
def ray_here() -> Iterator[Any]:
    import ray

    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def _open(settings: VllmModel, answers: Place | None) -> Any:
    return open_generator(settings, answers)


def _said(answer: TextAnswer | Failure) -> object:
    return answer.fields if isinstance(answer, TextAnswer) else answer.reason
