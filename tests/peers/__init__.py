"""Real servers of language models, and vLLM in process, on a tiny model of random weights. See `environments`."""
