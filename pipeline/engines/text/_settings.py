"""What the settings of all language models have in common."""

from typing import Any, Literal

from pydantic import Field

from pipeline.settings import Checkpoint


class ChatSettings(Checkpoint):
    """What all language models have in common."""

    temperature: float = Field(0.7, ge=0, le=2, description="of the sampling")
    top_p: float = Field(1.0, gt=0, le=1, description="of the sampling")
    max_tokens: int = Field(512, gt=0, description="longest answer")
    guided: Literal["on_failure", "always", "never"] = Field(
        "on_failure", description="when answers are held to their JSON schema while they are written"
    )
    on_repeat: Literal["warmer", "stop"] = Field(
        "warmer",
        description="after the same bad answer again, or a copy of the prompt: one try afresh and warmer, or none",
    )
    give_up_after: int = Field(
        20, ge=0, description="the job stops if the first so many requests all fail for one cause; 0: it never does"
    )
    template_options: dict[str, Any] = Field({}, description="for the chat template, such as {enable_thinking: false}")


HOW_TO_ASK = frozenset({"guided", "on_repeat", "give_up_after"})
"""Settings that say which requests are made. The answer to each does not depend on them."""
