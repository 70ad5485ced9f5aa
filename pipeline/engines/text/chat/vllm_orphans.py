"""vLLM's processes end with the process that started them, however that one ended.

vLLM's engine core does not look whether its parent lives: after a `kill -9`, or Ray's end of an actor, it would wait
for requests for ever and hold its GPU. vLLM calls the plugins of the entry-point group `vllm.general_plugins` in each
of its processes, and this is one. It does nothing in a vLLM that Parley did not start.
"""

import multiprocessing
import os
import signal
import threading

from pipeline.engines.text.chat.vllm_settings import END_WITH_PARENT


def end_with_parent() -> None:
    """Have this process killed once its parent is gone, if `multiprocessing` made it and Parley asked for that."""
    parent = multiprocessing.parent_process()
    if parent is None or not os.environ.get(END_WITH_PARENT):
        return

    def watch() -> None:
        parent.join()
        # Not a gentle end: the core's own way out waits for a parent that is gone.
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
