"""Ends vLLM's processes with the process that started them, however that one ended.

vLLM's engine core does not check whether its parent is alive: after a `kill -9`, or after Ray has ended an actor, it
would wait for requests forever and hold its GPU. vLLM calls the plugins of the entry-point group
`vllm.general_plugins` in each of its processes, and this is one of them. It does nothing in a vLLM that Parley did not
start.
"""

import multiprocessing
import os
import signal
import threading

from pipeline.engines.text._chat.vllm_settings import END_WITH_PARENT


def end_with_parent() -> None:
    """Kill this process once its parent is gone, if `multiprocessing` made it and Parley asked for that."""
    parent = multiprocessing.parent_process()
    if parent is None or not os.environ.get(END_WITH_PARENT):
        return

    def watch() -> None:
        parent.join()
        # Not a gentle end: the core's own shutdown waits for the parent that is gone.
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
