"""Starting a process: the guest cannot."""
import errno
import sys

__all__ = ["Popen"]


class Popen:
    method = "fork"

    def __init__(self, process_obj):
        raise OSError(errno.ENOTSUP, f"{sys.platform} does not support processes.")
