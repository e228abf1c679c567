"""Stands in for the C module: there are no semaphores between processes, and no processes.

Empty, so that multiprocessing.pool and multiprocessing.connection can be imported, which
multiprocessing.pool.ThreadPool and concurrent.futures need; what would need more says so.
"""
