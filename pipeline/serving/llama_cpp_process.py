"""llama.cpp's own server in a process of its own: python -m pipeline.serving.llama_cpp_process, settings as JSON.

Ends when its standard input does, and so with the process that started it, however that ended.
"""

import json
import sys


def serve(gguf: str, alias: str, context: int, slots: int, threads: int, port: int) -> None:
    """Serve the file on 127.0.0.1 until standard input ends. `context`: tokens of each slot."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.model_alias = {alias}
    params.n_parallel = slots
    params.n_ctx = context * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.ui = False
    params.warmup = False
    server = xllamacpp.Server(params)
    print(f"llama.cpp listens on {server.listening_address}", flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
