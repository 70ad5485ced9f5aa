"""Speaks many utterances at once, with upstream's own modules.

A step of the language model costs a GPU nearly the same for one utterance as for a hundred, and upstream takes it for
one. Here each piece of text has a slot in a cache, all slots take a step together, and a piece that has ended leaves
its slot to one that waits. What a piece becomes depends on its request alone, up to rounding: each has random numbers
of its own, and no slot sees another.

=============  ==================================================================================================
prompt         what the language model reads before it speaks, for each version
inputs         what a step is told of each slot
cache          the slots: keys and values of all pieces in flight
qwen           a step of the language model of versions 2 and 3
relative       a step of the language model of version 1
sampling       chooses the next tokens, as upstream's repetition-aware sampling does
graphs         repeats a step as one CUDA graph
decoder        gives slots to pieces until all are spoken
batches        cuts into batches of like length
mel            the flow: in batches where that changes nothing
vocoder        the vocoder in batches
synthesizer    the engine
=============  ==================================================================================================
"""
