"""AnyGPT's messages and back."""

import pytest

from manifests.forms.anygpt import AnyGptExchange, exchange_of, messages, speech_codes, speech_text

HELLO = AnyGptExchange("hello, how are you", "I am fine, thank you", (1, 1, 1), (2, 2, 1023))
TASK = "Please answer."


def test_messages_and_back() -> None:
    asked, said = messages(HELLO, TASK)
    assert asked == "<sosp><🗣️1><🗣️1><🗣️1><eosp> Please answer."
    assert said == "<-Ins-> hello, how are you\n <-Res-> I am fine, thank you <sosp><🗣️2><🗣️2><🗣️1023><eosp>"
    assert exchange_of(asked, said, TASK) == HELLO
    for wrong in ((asked, said + "x"), (said, asked), (asked + "x", said)):
        with pytest.raises(ValueError):
            exchange_of(*wrong, TASK)


def test_speech_and_back() -> None:
    assert speech_codes(speech_text(range(5))) == tuple(range(5))
    with pytest.raises(ValueError):
        speech_codes("<sosp><1><eosp>")
