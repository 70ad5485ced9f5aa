"""How much of a row's prompt the server has ready, because rows before it began the same.

    .peers/vllm/bin/python benchmarks/prefix_cache.py [--model DIR] [--rows 72]

The instructions that ship go through our templates into vLLM, in process, with its prefix cache on. Each prompt is
asked in two orders: as our templates have it, with what is the same for all rows first; and with the row's own text
first, the other characters being the same. Printed are the tokens of a prompt, the share of them that was cached, and
how many more tokens the second order leaves to compute. The first prompt of each kind warms the cache and is not
counted.

Without --model a tiny one of random weights is made (`tests/peers`): its tokenizer learned from our prompts and
samples, so that they have about as many tokens as in a real one. The cache holds whole blocks only, of 128 tokens on a
CPU and of 16 on a GPU, where a little more is cached.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from pipeline.engines.contract import NO_TOKENS, ChatMessage, ChatReply, ChatRequest, TextRequest, Tokens
from pipeline.engines.text._chat.template import Template, load_template
from pipeline.engines.text._chat.vllm_model import VllmChat
from pipeline.engines.text.vllm import VllmModel, VllmServing
from pipeline.readers import read_rows
from tests.peers.servers import QUIET, make_checkpoints

TEMPLATES = {
    "ke-rewrite/v2": ("whole", "instruction"),
    "ke-screen/v2": ("first", "question"),
    "ke-safety/v2": ("first", "question"),
    "ke-respond/v2": ("first", "question"),
    "instructs2s-rewrite/v2": ("whole", "instruction"),
    "instructs2s-respond/v2": ("first", "question"),
}
OPTIONS: dict[str, str | int | float | bool] = {"max_length": 50, "answer_limit": 100}

LONGEST = 400
"""Characters of an instruction that is asked."""

Messages = tuple[ChatMessage, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="directory of a checkpoint; a tiny one is made without it")
    parser.add_argument("--rows", type=int, default=72)
    arguments = parser.parse_args()
    if arguments.model:
        asyncio.run(measure(VllmModel(engine="vllm", model=arguments.model, max_tokens=1), arguments.rows))
        return
    os.environ.update(QUIET)
    with tempfile.TemporaryDirectory() as scratch:
        directory = make_checkpoints(Path(scratch)).directory
        serving = VllmServing(enforce_eager=True, max_num_seqs=32)
        tiny = VllmModel(engine="vllm", model=str(directory), max_tokens=1, dtype="float32", serving=serving)
        asyncio.run(measure(tiny, arguments.rows))


async def measure(settings: VllmModel, rows: int) -> None:
    chat = VllmChat(settings)
    await chat.start()
    print("| template | language | tokens | cached, ours | cached, row first | to compute, row first : ours |")
    print("|---|---|---|---|---|---|")
    try:
        for name in TEMPLATES:
            for language in ("en", "zh"):
                ours = list(prompts(name, language, rows))
                first = await spend(chat, ours)
                second = await spend(chat, [row_first(messages) for messages in ours])
                ratio = (second.prompt - second.cached) / (first.prompt - first.cached)
                shares = f"{share(first):.0%} | {share(second):.0%}"
                print(f"| {name} | {language} | {first.prompt / first.requests:.0f} | {shares} | {ratio:.1f} |")
    finally:
        await chat.close()


def prompts(name: str, language: str, rows: int) -> Iterator[Messages]:
    template: Template = load_template(name, language)
    form, variable = TEMPLATES[name]
    with resources.as_file(resources.files("pipeline.samples") / f"instructions_{language}.json") as file:
        texts = [row.turns[0].text for row in read_rows(str(file)) if row.reason is None]
    options = {option: value for option, value in OPTIONS.items() if option in template.task.options}
    for instruction in [text for text in texts if len(text) <= LONGEST][:rows]:
        variables = {variable: instruction}
        yield template.messages(TextRequest(template.task_name, language, variables, 0, options, form=form))


def row_first(messages: Messages) -> Messages:
    """The same prompt, with what the row brings at its beginning."""
    system, user = messages
    return (ChatMessage("system", user.content), ChatMessage("user", system.content))


async def spend(chat: VllmChat, several: Sequence[Messages]) -> Tokens:
    """What all prompts but the first took."""
    total = NO_TOKENS
    for number, messages in enumerate(several):
        reply = await chat.complete(ChatRequest(messages, seed=0))
        if not isinstance(reply, ChatReply):
            raise SystemExit(f"no answer: {reply.detail}")
        total += reply.spent if number else NO_TOKENS
    return total


def share(spent: Tokens) -> float:
    return spent.cached / spent.prompt


if __name__ == "__main__":
    main()
