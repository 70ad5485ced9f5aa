"""llama.cpp's own server, opened inside a process: python llama_cpp_process.py GGUF ALIAS CONTEXT PORT.

Runs in the environment `llama-cpp`, which has nothing but that package, until it is ended.
"""

import signal
import sys

import xllamacpp


def serve(gguf: str, alias: str, context: int, port: int) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = gguf
    params.model_alias = alias
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.warmup = False
    server = xllamacpp.Server(params)
    print(f"llama.cpp listens on {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
