"""What multiprocessing has in C elsewhere. There are no processes here: nothing of it is.

That it can be imported lets multiprocessing.pool.ThreadPool and multiprocessing.dummy work, which
have threads only.
"""
