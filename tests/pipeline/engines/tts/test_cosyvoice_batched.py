"""The parts that speak many utterances at once, without upstream's source: choosing tokens, slots, steps."""

from copy import deepcopy
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.engines.tts.cosyvoice.batched import cache
from pipeline.engines.tts.cosyvoice.batched import decoder as decoder_module
from pipeline.engines.tts.cosyvoice.batched.batches import batches
from pipeline.engines.tts.cosyvoice.batched.cache import Slots
from pipeline.engines.tts.cosyvoice.batched.decoder import Decoder
from pipeline.engines.tts.cosyvoice.batched.prompt import PiecePrompt
from pipeline.engines.tts.cosyvoice.batched.qwen import QwenSteps
from pipeline.engines.tts.cosyvoice.batched.sampling import RepetitionAware, TokenDraws, parameters_of

torch = pytest.importorskip("torch")
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402


def ras_sampling(scores, said, sampling, top_p=0.8, top_k=25, win_size=10, tau_r=0.1):
    """Only its name and its arguments are looked at."""


def shares(sampling, scores, recent, count=2000):
    """The share of each token over random numbers that are spread evenly."""
    first = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    uniform = torch.stack([first, first], dim=1)
    chosen = sampling.choose(scores.expand(count, -1), recent.expand(count, -1), uniform)
    return torch.bincount(chosen, minlength=scores.shape[-1]) / count


def test_tokens_come_from_the_nucleus_in_their_proportion():
    scores = torch.tensor([0.1, 0.4, 0.2, 0.25, 0.05]).log()
    nothing = torch.full((1, 10), -1)
    # 0.4 and 0.25 are not yet 0.8 together, with 0.2 they are more: these three.
    found = shares(RepetitionAware(0.8, 25, 10, 0.1), scores, nothing)
    np.testing.assert_allclose(found, [0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0], atol=1e-3)
    found = shares(RepetitionAware(0.8, 2, 10, 0.1), scores, nothing)
    np.testing.assert_allclose(found, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], atol=1e-3)


def test_a_token_that_was_just_said_is_replaced_by_any_other():
    scores = torch.tensor([0.6, 0.3, 0.1]).log()
    recent = torch.tensor([[-1, -1, 0, 2]])
    sampling = RepetitionAware(0.5, 25, 4, 0.25)
    found = shares(sampling, scores, recent)
    np.testing.assert_allclose(found, [0, 0.75, 0.25], atol=1e-3)
    assert shares(RepetitionAware(0.5, 25, 4, 0.5), scores, recent)[0] == 1  # once is not often enough


def test_what_must_not_come_does_not_come_at_the_ends_of_the_range_either():
    scores = torch.tensor([-torch.inf, 0.5, 0.5, -torch.inf])
    uniform = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    chosen = RepetitionAware(1.0, 25, 10, 0.1).choose(scores.expand(2, -1), torch.full((2, 10), -1), uniform)
    assert chosen.tolist() == [1, 2]


def test_only_upstreams_sampling_is_known():
    assert parameters_of(partial(ras_sampling, top_p=0.9, win_size=5)) == RepetitionAware(0.9, 25, 5, 0.1)
    assert parameters_of(ras_sampling) == RepetitionAware(0.8, 25, 10, 0.1)
    assert parameters_of(partial(ras_sampling, other=1)) is None
    assert parameters_of(lambda scores, said, sampling: 0) is None


def test_random_numbers_follow_from_the_seed_alone():
    one, again, other = TokenDraws(5, 0), TokenDraws(5, 0), TokenDraws(5, 1)
    first = [one.two() for _ in range(600)]
    np.testing.assert_array_equal(first, [again.two() for _ in range(600)])
    assert not np.array_equal(first[0], other.two())


def test_slots_keep_what_they_hold_when_they_grow():
    slots = Slots(2)
    keys = [torch.arange(12.0).reshape(1, 2, 3, 2)]
    slots.fill([1], [3], keys, keys)
    assert (slots.capacity, slots.lengths) == (512, [0, 3])
    slots.fill([0], [600], [torch.ones(1, 2, 600, 2)], [torch.ones(1, 2, 600, 2)])
    assert slots.capacity == 1024
    torch.testing.assert_close(slots.keys[0][1, :, :3], keys[0][0])
    assert slots.values[0][0, :, 600:].abs().sum() == 0


@pytest.fixture(scope="module")
def language_model():
    prepare_torchaudio()
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=20,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = Qwen2ForCausalLM(config).eval()

    return SimpleNamespace(
        llm=SimpleNamespace(model=model),
        llm_decoder=torch.nn.Linear(32, 12),
        speech_embedding=torch.nn.Embedding(12, 32),
    )


@torch.inference_mode()
def test_steps_in_slots_give_what_the_whole_sequence_gives(language_model):
    steps, slots = QwenSteps(language_model), Slots(3)
    read = [torch.randn(1, length, 32) for length in (4, 7)]
    said = [[3, 1, 4, 1], [5, 9, 2, 6]]
    steps.begin(read, slots, [0, 1])
    for tokens in zip(*said, strict=True):
        scores = steps.step(torch.tensor([*tokens, 0]), torch.tensor([*slots.lengths[:2], 0]), slots, 512)
        slots.advance([0, 1])
    for slot, (prompt, tokens) in enumerate(zip(read, said, strict=True)):
        both = torch.cat([prompt, language_model.speech_embedding(torch.tensor([tokens]))], dim=1)
        expected = language_model.llm_decoder(
            language_model.llm.model.model(inputs_embeds=both).last_hidden_state[:, -1]
        )[0].log_softmax(-1)
        torch.testing.assert_close(scores[slot], expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_layers_in_bfloat16_keep_scores_in_float32_and_near(language_model):
    read = [torch.randn(1, length, 32) for length in (4, 7)]
    made = []
    for dtype in (torch.float32, torch.bfloat16):
        steps, slots = QwenSteps(deepcopy(language_model), dtype), Slots(2)
        first = steps.begin(read, slots, [0, 1])
        second = steps.step(torch.tensor([3, 5]), torch.tensor(slots.lengths), slots, 256)
        assert slots.keys[0].dtype == dtype
        made.append(torch.stack([first, second]))
    assert {scores.dtype for scores in made} == {torch.float32}
    assert not torch.equal(*made)
    torch.testing.assert_close(*made, atol=0.05, rtol=0.05)


class Counting:
    """Says the first number of its prompt, then the next ones; 9 ends."""

    def __init__(self):
        self.most = 0

    def begin(self, read, slots, numbers):
        if any(prompt[0, 0, 0] < 0 for prompt in read):
            raise ValueError("no number")
        nothing = [torch.zeros(len(read), 1, 1, 1)]
        slots.fill(numbers, [1] * len(read), nothing, nothing)
        return torch.stack([self._only(int(prompt[0, 0, 0])) for prompt in read])

    def step(self, tokens, positions, slots, reach):
        self.most = max(self.most, sum(length > 0 for length in slots.lengths))
        return torch.stack([self._only(min(token + 1, 9)) for token in tokens.tolist()])

    def _only(self, token):
        return torch.full((10,), -torch.inf).index_fill(0, torch.tensor([token]), 0.0)


def test_pieces_take_the_slots_of_those_that_have_ended():
    counting = Counting()
    decoder = Decoder(counting, RepetitionAware(0.8, 25, 1, 1.5), 8, [9], 2)
    numbers = [7, 1, -1, 5, 9, 3]
    prompts = [
        partial(PiecePrompt, torch.full((1, 1, 1), float(number)), 0, 4 if number == 1 else 20, (0,))
        for number in numbers
    ]
    results = decoder.decode(prompts, lambda error: False)
    assert isinstance(results.pop(2), ValueError)
    assert results == [[7, 8], [1, 2, 3, 4], [5, 6, 7, 8], [], [3, 4, 5, 6, 7, 8]]
    assert counting.most == 2
    with pytest.raises(ValueError, match="no number"):
        decoder.decode(prompts, lambda error: True)
    assert decoder.decode(prompts[:1], lambda error: True) == [[7, 8]]  # the slots are free again


class Pretended:
    """Captures nothing, but repeats a step only while the slots are where they were when it was captured."""

    def __init__(self):
        self.places = []

    def __call__(self, run):
        place = self.slots.keys[0].data_ptr()
        self.places.append(place)

        def repeat():
            assert place == self.slots.keys[0].data_ptr()
            run()

        return repeat


def decoded(language_model, count, capture, lengths=(3, 9, 5, 1, 7, 4, 8), shortest=2):
    """The tokens of some pieces with the small Qwen2, drawn from all its tokens; token 11 ends."""
    generator = torch.Generator().manual_seed(5)
    reads = [torch.randn(1, length, 32, generator=generator) for length in lengths]
    prompts = [
        partial(PiecePrompt, read, shortest, 6 if number % 2 else 30, (number,)) for number, read in enumerate(reads)
    ]
    decoder = Decoder(QwenSteps(language_model), RepetitionAware(0.95, 25, 3, 0.5), 11, [11], count)
    decoder.step.capture = capture
    if isinstance(capture, Pretended):
        capture.slots = decoder._slots
    with torch.inference_mode():
        return decoder.decode(prompts, lambda error: True)


def test_a_captured_step_says_what_a_plain_one_says(language_model):
    plain = decoded(language_model, 2, None)
    assert len({tuple(tokens) for tokens in plain}) == 7
    pretended = Pretended()
    assert decoded(language_model, 2, pretended) == plain
    assert len(pretended.places) == 1
    assert decoded(language_model, 16, Pretended()) == plain  # company changes nothing


def test_a_step_is_captured_anew_when_the_slots_have_moved(language_model, monkeypatch):
    monkeypatch.setattr(cache, "_GRAIN", 16)
    monkeypatch.setattr(cache, "_REACH", 8)
    lengths = (20, 4, 5, 3)
    plain = decoded(language_model, 2, None, lengths, 20)
    pretended = Pretended()
    assert decoded(language_model, 2, pretended, lengths, 20) == plain
    assert len(pretended.places) > 2
    assert len(set(pretended.places)) == 2
    monkeypatch.undo()
    assert decoded(language_model, 2, None, lengths, 20) == plain


class OneDevice(TorchDispatchMode):
    """Lets no operation mix devices: a number that is on the host would have to be copied."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        found = [part for part in tree_leaves((args, kwargs, made)) if isinstance(part, torch.Tensor)]
        assert len({tensor.device for tensor in found}) <= 1, function
        return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_asks_the_device_for_nothing(language_model, dtype):
    # Tensors without values raise where a step would wait for one, which no graph can hold.
    steps = QwenSteps(
        SimpleNamespace(**{name: _without_values(part) for name, part in vars(language_model).items()}), dtype
    )
    decoder = Decoder(steps, RepetitionAware(0.8, 5, 10, 0.1), 8, [8], 3)
    keys = [torch.zeros(1, 2, 5, 8, device="meta", dtype=dtype)] * 2
    decoder._slots.reserve(5, keys)
    with OneDevice():
        chosen = decoder._next(torch.zeros(3, 15, dtype=torch.float64, device="meta"), 256)
    assert (chosen.device.type, chosen.dtype, chosen.shape) == ("meta", torch.int64, (3,))


def _without_values(part):
    if isinstance(part, SimpleNamespace):
        return SimpleNamespace(**{name: _without_values(inner) for name, inner in vars(part).items()})
    return deepcopy(part).to("meta")


def test_what_cannot_be_captured_goes_on_without_and_says_so_once(language_model, caplog):
    refusals = []

    def refused(run):
        refusals.append(run)
        raise RuntimeError("operation not permitted when stream is capturing")

    plain = decoded(language_model, 2, None)
    assert decoded(language_model, 2, refused) == plain
    assert len(refusals) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "not permitted" in caplog.text


def test_a_step_that_raises_ends_the_call_and_leaves_the_slots_free(monkeypatch):
    decoder = Decoder(Counting(), RepetitionAware(0.8, 25, 1, 1.5), 8, [9], 2)
    prompts = [partial(PiecePrompt, torch.full((1, 1, 1), 7.0), 0, 20, (0,))] * 3
    with monkeypatch.context() as patched:
        patched.setattr(decoder._steps, "step", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            decoder.decode(prompts, lambda error: False)
    assert decoder._slots.lengths == [0, 0]
    assert decoder.decode(prompts, lambda error: False) == [[7, 8]] * 3


def test_prompts_are_read_together_within_a_bound_and_not_one_at_a_time(monkeypatch):
    read = []

    class Noting(Counting):
        def begin(self, given, slots, numbers):
            read.append([prompt.shape[1] for prompt in given])
            return super().begin(given, slots, numbers)

    monkeypatch.setattr(decoder_module, "_MOST_READ", 20)
    monkeypatch.setattr(decoder_module, "_BEGUN_OF_SLOTS", 2)
    decoder = Decoder(Noting(), RepetitionAware(0.8, 25, 1, 1.5), 8, [9], 4)
    # The first four end after one, two, three and four steps: the others begin in twos.
    lengths = [4, 7, 5, 4, 3, 6, 3, 3]
    prompts = [
        partial(PiecePrompt, torch.full((1, length, 1), 8.0 - number % 4), 0, 20, (0,))
        for number, length in enumerate(lengths)
    ]
    results = decoder.decode(prompts, lambda error: True)
    assert results == [list(range(8 - number % 4, 9)) for number in range(8)]
    assert read == [[7, 5], [4, 4], [6, 3], [3, 3]]


def test_one_that_cannot_be_read_fails_alone_among_those_that_are_read_together():
    decoder = Decoder(Counting(), RepetitionAware(0.8, 25, 1, 1.5), 8, [9], 3)
    prompts = [partial(PiecePrompt, torch.full((1, 1, 1), number), 0, 20, (0,)) for number in (7.0, -1.0, 8.0)]
    first, failed, last = decoder.decode(prompts, lambda error: False)
    assert (first, last) == ([7, 8], [8])
    assert isinstance(failed, ValueError)


def test_batches_of_the_flow_are_of_like_length_and_bounded():
    lengths = [100, 400, 98, 410, 95, 20]
    made = list(batches(lengths, 850))
    assert sorted(number for batch in made for number in batch) == list(range(6))
    assert made == [[3, 1], [0, 2, 4], [5]]
    assert all(max(lengths[number] for number in batch) * len(batch) <= 850 for batch in made)
    assert list(batches([900], 850)) == [[0]]
