"""Raises the exceptions of upstream's own thread.

Upstream runs its language model in a thread for each piece of text, and does not check whether it failed: Python
prints the traceback, and the flow is given the tokens made so far. That ends in an error that explains nothing or,
worse, in audio that breaks off. Here the exception is kept, and raised where the piece was asked for.
"""

from collections.abc import Iterator
from typing import Any

_SESSION_TABLES = (
    "tts_speech_token_dict",
    "llm_end_dict",
    "hift_cache_dict",
    "mel_overlap_dict",
    "flow_cache_dict",
)


class LanguageModelError(Exception):
    """Upstream's language model raised; `__cause__` is what it raised."""


def watch(inner: Any) -> None:
    """Wrap `tts` and `llm_job` of upstream's inner model, so that `tts` raises what the thread raised.

    Both get the very same tensor as `text`, which tells apart pieces in flight at the same time. What upstream leaves
    in its session tables after an error is removed.
    """
    speak, run_language_model = inner.tts, inner.llm_job
    sessions: dict[int, str] = {}
    failures: dict[int, Exception] = {}

    def llm_job(text: Any, *others: Any) -> None:
        sessions[id(text)] = others[-1]
        try:
            run_language_model(text, *others)
            if not inner.tts_speech_token_dict.get(others[-1]):
                raise ValueError("it ended at once and gave no speech tokens")
        except Exception as error:  # noqa: BLE001  whatever ends the thread must be raised in the caller's
            failures[id(text)] = error

    def tts(**inputs: Any) -> Iterator[Any]:
        text = inputs["text"]
        try:
            for piece in speak(**inputs):
                if id(text) in failures:
                    break
                yield piece
        except Exception:  # a consequence of the thread's failure, which is raised below
            if id(text) not in failures:
                raise
        finally:
            _forget(inner, sessions.pop(id(text), ""))
            failure = failures.pop(id(text), None)
        if failure is not None:
            raise LanguageModelError(f"the language model raised {type(failure).__name__}: {failure}") from failure

    inner.tts, inner.llm_job = tts, llm_job


def _forget(inner: Any, session: str) -> None:
    for table in _SESSION_TABLES:
        getattr(inner, table, {}).pop(session, None)
