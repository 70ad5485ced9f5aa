"""Speech recognizers.

Those that load checkpoints (Whisper, the models of funasr) share `_chunked_decoding`: the guard against silence,
windows of at most 30 s, batches by audio seconds. Each engine adds one function that decodes one batch.
"""
