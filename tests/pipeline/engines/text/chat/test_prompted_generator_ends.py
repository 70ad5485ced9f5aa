"""Every way in which a call of a language model can end; nothing hangs."""

import _thread
import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_doubles import GOOD, SPENT, Answer, FakeChat, ask, never, reply, scripted

from manifests.errors import EngineDied, EngineUnavailable, UserError
from pipeline.engines.contract import ChatRequest, Complaint, TextAnswer, TextRequest
from pipeline.engines.text._chat.generator import PromptedGenerator

pytestmark = pytest.mark.timeout(60)

Open = Callable[..., PromptedGenerator]


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (ask(prompt=None), "task rewrite: a language model needs a prompt"),
        (ask(prompt="rewrite/v9"), "no prompt 'rewrite/en/v9' in the store"),
        (ask(language="fr"), "no prompt 'rewrite/fr/v1' in the store"),
        (ask(form="fragment"), "has no form 'fragment'"),
        (ask(form=""), "has no form ''"),
        (ask(options={}), "no option max_length is given"),
    ],
)
def test_an_unfit_request_is_refused_before_anything_is_sent(
    open_generator: Open, request_: TextRequest, problem: str
) -> None:
    model = scripted(reply(GOOD))
    generator = open_generator(model)
    with pytest.raises(UserError, match=problem):
        generator.generate([ask(), request_])
    assert model.requests == []
    assert generator.generate([ask()]) == [TextAnswer({"question": "What now?"}, SPENT)]


def test_a_death_ends_the_call_and_cancels_its_other_requests(open_generator: Open) -> None:
    async def die(request: ChatRequest) -> Answer:
        if "last" in request.messages[1].content:
            raise EngineDied("the server is gone")
        return await never(request)

    model = FakeChat(die)
    generator = open_generator(model)
    with pytest.raises(EngineDied, match="the server is gone"):
        generator.generate([*[ask(str(i)) for i in range(5)], ask("last")])
    assert model.cancelled == 5
    with pytest.raises(EngineDied, match="the server is gone"):
        generator.generate([ask("late")])
    assert len(model.requests) == 6


@pytest.mark.parametrize("error", [EngineDied("the server is gone"), EngineUnavailable("the key is not valid")])
def test_a_death_reaches_every_caller(open_generator: Open, error: Exception) -> None:
    model: FakeChat

    async def die_when_all_ask(request: ChatRequest) -> Answer:
        while len(model.requests) < 8 * 3:
            await asyncio.sleep(0.001)
        if request is model.requests[-1]:
            raise error
        return await never(request)

    model = FakeChat(die_when_all_ask)
    generator = open_generator(model)

    def call(_: int) -> BaseException | None:
        try:
            generator.generate([ask(str(i)) for i in range(3)])
        except (EngineDied, EngineUnavailable) as raised:
            return raised
        return None

    with ThreadPoolExecutor(8) as threads:
        raised = list(threads.map(call, range(8)))
    assert {(type(one), str(one)) for one in raised} == {(type(error), str(error))}
    assert len({id(one) for one in raised}) == 8
    assert model.cancelled == 8 * 3 - 1


def test_an_unexpected_exception_ends_only_its_call(open_generator: Open) -> None:
    async def stumble(request: ChatRequest) -> Answer:
        if "stone" in request.messages[1].content:
            raise ZeroDivisionError("a bug")
        if "other" in request.messages[1].content:
            await asyncio.sleep(0.05)
            return reply(GOOD)
        return await never(request)

    model = FakeChat(stumble)
    generator = open_generator(model)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(generator.generate, [ask("other")])
        with pytest.raises(ZeroDivisionError, match="a bug"):
            generator.generate([ask("a"), ask("stone"), ask("b")])
        assert other.result() == [TextAnswer({"question": "What now?"}, SPENT)]
    assert model.cancelled == 2


def test_an_exception_of_a_check_is_raised(open_generator: Open) -> None:
    def broken(fields: Mapping[str, str]) -> Complaint | None:
        raise KeyError(fields["question"])

    with pytest.raises(KeyError, match="What now"):
        open_generator(scripted(reply(GOOD))).generate([ask(check=broken)])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("3")])
def test_a_model_that_raises_system_exit_is_dead_and_closed(open_generator: Open, error: BaseException) -> None:
    async def leave(request: ChatRequest) -> Answer:
        if "leave" in request.messages[1].content:
            raise error
        return await never(request)

    model = FakeChat(leave)
    generator = open_generator(model)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(generator.generate, [ask("waits")])
        while not model.requests:
            threading.Event().wait(0.001)
        with pytest.raises(EngineDied, match=f"the language model ended with {type(error).__name__} 3"):
            generator.generate([ask("leave")])
        with pytest.raises(EngineDied):
            other.result()
    generator.close()
    assert (model.cancelled, model.closed) == (1, 1)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as usual: a process that was started in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_cancels_the_requests_of_its_call(open_generator: Open) -> None:
    async def interrupt(request: ChatRequest) -> Answer:
        if "good" in request.messages[1].content:
            return reply(GOOD)
        if len(model.requests) == 3:
            _thread.interrupt_main()
        return await never(request)

    model = FakeChat(interrupt)
    generator = open_generator(model)
    with pytest.raises(KeyboardInterrupt):
        generator.generate([ask("a"), ask("b"), ask("c")])
    while model.cancelled < 3:
        threading.Event().wait(0.001)
    assert generator.generate([ask("good")]) == [TextAnswer({"question": "What now?"}, SPENT)]


def test_closing_ends_model_and_thread_once(open_generator: Open) -> None:
    before = threading.active_count()
    model = scripted(reply(GOOD))
    generator = open_generator(model)
    assert threading.active_count() == before + 1
    generator.generate([ask()])
    generator.close()
    generator.close()
    assert model.closed == 1
    assert threading.active_count() == before
    with pytest.raises(EngineDied):
        generator.generate([ask()])
    assert len(model.requests) == 1


def test_closing_ends_the_calls_in_flight(open_generator: Open) -> None:
    model = FakeChat(never)
    generator = open_generator(model)
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(generator.generate, [ask("a"), ask("b")]) for _ in range(2)]
        while len(model.requests) < 4:
            threading.Event().wait(0.001)
        generator.close()
        for call in calls:
            with pytest.raises(EngineDied, match="the language model was closed"):
                call.result()
    assert (model.cancelled, model.closed) == (4, 1)


def test_the_thread_ends_even_if_the_model_does_not_close(open_generator: Open) -> None:
    class Stuck(FakeChat):
        async def close(self) -> None:
            raise OSError("stuck")

    before = threading.active_count()
    generator = open_generator(Stuck(never))
    with pytest.raises(OSError, match="stuck"):
        generator.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("closes", [True, False])
def test_a_model_that_does_not_start_says_why(open_generator: Open, closes: bool) -> None:
    class Absent(FakeChat):
        async def start(self) -> None:
            raise EngineUnavailable("nobody answers")

        async def close(self) -> None:
            self.closed += 1
            if not closes:
                raise OSError("stuck")

    before = threading.active_count()
    model = Absent(never)
    with pytest.raises(EngineUnavailable, match="nobody answers"):
        open_generator(model)
    assert model.closed == 1
    assert threading.active_count() == before


def test_start_requests_and_close_share_one_loop(open_generator: Open) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    class Watching(FakeChat):
        async def start(self) -> None:
            loops.append(asyncio.get_running_loop())

        async def complete(self, request: ChatRequest) -> Answer:
            loops.append(asyncio.get_running_loop())
            return reply(GOOD)

        async def close(self) -> None:
            loops.append(asyncio.get_running_loop())

    generator = open_generator(Watching(never))
    generator.generate([ask()])
    generator.generate([ask()])
    generator.close()
    assert len(loops) == 4
    assert len(set(map(id, loops))) == 1
    assert loops[0].is_closed()
