"""Real servers of language models, vLLM in process, on a tiny model of random weights; programs that read exports.

See `environments`.
"""
