"""Recognizers that load checkpoints: Whisper and the models of the funasr package.

`hearing` is what they share: the guard against silence, windows of at most 30 s, batches by audio seconds. Each engine
adds one function that hears one batch.
"""
