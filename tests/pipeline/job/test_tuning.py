"""What is proposed follows what pools cost, on cores, on GPUs and behind servers."""

import json

import pytest

from parley.testing import tone_recipe
from pipeline.job.gpu_use import GpuUse
from pipeline.job.profile import PoolTime
from pipeline.job.tuning import Machine, PoolCost, expected, measured_costs, pool_kind, propose
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.recipes.pools import full_pools

GIB = 1 << 30
SHARED = "gpus=0.5"


def three_pools(voices: str = "cpus: 1", proof: str = "cpus: 1") -> Recipe:
    return tone_recipe(
        "pools={text: {stages: [rewrite, screen, respond], workers: 2}, "
        f"voices: {{stages: [cast, synthesize, render], {voices}}}, "
        f"proof: {{stages: [watermark, transcribe, gate], {proof}}}}}"
    )


def costs_of(recipe: Recipe, row_s: dict[str, float], workers: dict[str, int], **use: GpuUse) -> list[PoolCost]:
    """Costs as a trial of 100 s with 100 rows and one worker for each slot would have measured them."""
    times = {
        name: PoolTime(workers[name], busy_s=100 * each, starved_s=100 * (workers[name] - each), wall_s=100.0,
                       gpu=use.get(name))
        for name, each in row_s.items()
    }  # fmt: skip
    return measured_costs(recipe, workers, times, 100, {})


def settings(costs: list[PoolCost], recipe: Recipe, machine: Machine) -> list[str]:
    return [setting for change in propose(costs, recipe, machine) for setting in change.settings]


def test_workers_on_cores_are_in_proportion_to_the_costs() -> None:
    recipe = three_pools()
    costs = costs_of(recipe, {"text": 0.01, "voices": 0.6, "proof": 0.19}, {"text": 2, "voices": 16, "proof": 16})
    machine = Machine(16)
    # 20 rows/s: a quarter of a worker for texts, and five for the proof. 15 voices are as good as 16.
    assert settings(costs, recipe, machine) == ["pools.text.workers=1", "pools.proof.workers=5"]
    assert expected(costs, propose(costs, recipe, machine), machine) == pytest.approx(20.0)


def test_a_pool_with_too_few_workers_gets_more() -> None:
    recipe = three_pools("workers: 1", "workers: 4")
    costs = costs_of(recipe, {"text": 0.01, "voices": 0.8, "proof": 0.2}, {"text": 1, "voices": 1, "proof": 4})
    machine = Machine(8)
    (change,) = [change for change in propose(costs, recipe, machine) if "voices" in change.settings[0]]
    assert change.settings == ("pools.voices.workers=8",)
    assert change.reason == "a row takes 0.8 s of a core, and the machine does 7.92 rows/s"
    assert expected(costs, (), machine) == pytest.approx(1.25)
    assert expected(costs, propose(costs, recipe, machine), machine) > 6 * 1.25


def test_what_is_in_proportion_is_left_alone() -> None:
    recipe = three_pools("workers: 6", "workers: 2")
    costs = costs_of(recipe, {"text": 0.2, "voices": 0.6, "proof": 0.2}, {"text": 2, "voices": 6, "proof": 2})
    assert settings(costs, recipe, Machine(8)) == []


def use(busy: float, watts: float, gib: float) -> GpuUse:
    return GpuUse(1, busy, watts, 700.0, int(gib * GIB), 80 * GIB)


GPU_COSTS = {"text": 0.01, "voices": 5.4, "proof": 0.6}
TWO_GPUS = {"text": 2, "voices": 2, "proof": 2}


@pytest.mark.parametrize(
    ("seen", "on_a_gpu"),
    [
        pytest.param({}, (7, 1), id="as the costs are, as many as may be"),
        pytest.param({"voices": use(0.23, 136, 36)}, (3, 1), id="as memory allows"),
        pytest.param({"voices": use(0.98, 650, 8)}, None, id="a full card is left alone"),
        pytest.param({"voices": use(0.96, 164, 8)}, (7, 1), id="busy all the time with little"),
    ],
)
def test_workers_on_a_gpu_are_in_proportion_to_the_costs(
    seen: dict[str, GpuUse], on_a_gpu: tuple[int, int] | None
) -> None:
    recipe = three_pools(f"{SHARED[:4]}: 0.5", f"{SHARED[:4]}: 0.5")
    changes = propose(costs_of(recipe, GPU_COSTS, TWO_GPUS, **seen), recipe, Machine(16, 2))
    found = [setting for change in changes for setting in change.settings if "text" not in setting]
    if on_a_gpu is None:
        assert found == []
        return
    share = {8: "0.12", 4: "0.25"}[sum(on_a_gpu)]
    assert found == [
        f"pools.{name}.{key}"
        for name, count in zip(("voices", "proof"), on_a_gpu, strict=True)
        for key in ("workers=0", f"per_gpu={count}", f"gpus={share}")
    ]
    proposed = tone_recipe(*_pools(recipe), *found)
    assert proposed.pools["voices"].per_gpu == on_a_gpu[0], "what is proposed is a recipe"


def _pools(recipe: Recipe) -> list[str]:
    pools = {name: {**pool.model_dump(), "stages": list(pool.stages)} for name, pool in recipe.pools.items()}
    return [f"pools={json.dumps(pools)}"]


def test_what_waits_for_a_server_has_as_many_blocks_in_flight_as_keep_up() -> None:
    recipe = load_recipe("ke-speechchat")
    pools = full_pools(recipe)
    assert {name: pool_kind(recipe, pool) for name, pool in pools.items()} == {
        "questions": "server", "answers": "server", "voices": "gpu", "proof": "gpu", "opinions": "cpu",
    }  # fmt: skip
    workers = {"questions": 1, "answers": 1, "voices": 1, "proof": 1, "opinions": 16}
    row_s = {"questions": 8.0, "answers": 2.0, "voices": 0.1, "proof": 0.1, "opinions": 0.01}
    times = {name: PoolTime(n, 100 * row_s[name], 100 * (n - row_s[name]), wall_s=100) for name, n in workers.items()}
    times["questions"] = PoolTime(1, 800.0, 800.0, wall_s=100.0)  # 16 blocks in flight
    times["answers"] = PoolTime(1, 200.0, 600.0, wall_s=100.0)
    found = settings(measured_costs(recipe, workers, times, 100, {}), recipe, Machine(16, 1))
    assert "pools.questions.blocks_in_flight=100" in found, "10 rows/s at 8 s, and a quarter more"
    assert "pools.answers.blocks_in_flight=25" in found


def test_larger_batches_only_where_the_slowest_pools_card_has_room() -> None:
    recipe = load_recipe("ke-speechchat", ["models.listener-en.serving.batch_s=240"])
    times = {name: PoolTime(1, 1.0, 99.0, wall_s=100.0) for name in full_pools(recipe)}

    def batches(gpu: GpuUse) -> list[str]:
        times["proof"] = PoolTime(1, 95.0, 5.0, wall_s=100.0, gpu=gpu)
        costs = measured_costs(recipe, dict.fromkeys(times, 1), times, 100, {})
        return [each for each in settings(costs, recipe, Machine(16, 1)) if "batch_s" in each]

    assert "models.listener-en.serving.batch_s=480" in batches(use(0.27, 200, 8))
    assert batches(use(0.27, 200, 60)) == batches(use(0.99, 600, 8)) == []


def test_a_recipe_without_pools_gets_them_named() -> None:
    recipe = three_pools().model_copy(update={"pools": {}})
    full = full_pools(recipe)
    workers = dict.fromkeys(full, 8)
    costs = costs_of(recipe, {name: 0.1 * (place + 1) for place, name in enumerate(full)}, workers)
    found = settings(costs, recipe, Machine(8))
    named = load_recipe("tone-dry-run", ["pools={}", *found])
    assert named.pools.keys() == full.keys()
    assert {name: pool.stages for name, pool in named.pools.items()} == {n: pool.stages for n, pool in full.items()}
