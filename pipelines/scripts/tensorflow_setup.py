"""Set up TensorFlow for the digit scripts: installed, quiet, and on all cores of this machine.

A module of the digit scripts.
"""

import contextlib
import os
import pathlib
import platform

from snaplogic.tool import SLTool as slt  # noqa: N813


def ensure():
    """Install TensorFlow if it is missing: the CPU build where there is one."""
    linux_pc = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    slt.ensure("tensorflow-cpu" if linux_pc else "tensorflow")


@contextlib.contextmanager
def quiet():
    """Silence TensorFlow, which writes to standard error whatever its log level is."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def usable_cores():
    """The number of cores this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def use_all_cores():
    import tensorflow as tf

    threads = usable_cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def has_bfloat16():
    """Whether the processor supports bfloat16."""
    try:
        described = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(described.split()))
