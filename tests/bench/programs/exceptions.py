"""Exceptions: raised, caught by kind, chained, through frames, in context managers."""


class Failure(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Guard:
    def __init__(self):
        self.swallowed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.swallowed += kind is Failure
        return kind is Failure


def deep(depth, code):
    if depth == 0:
        raise Failure(code)
    try:
        return deep(depth - 1, code)
    finally:
        code += 1


def run():
    total = 0
    for i in range(25000):
        try:
            if i % 4 == 0:
                raise Failure(i)
            if i % 4 == 1:
                {}[i]
            elif i % 4 == 2:
                int("x")
            else:
                total += 1
        except Failure as failure:
            total += failure.code
        except (KeyError, ValueError) as error:
            total += len(error.args)
        else:
            total += 2
    guard = Guard()
    for i in range(12000):
        with guard:
            raise Failure(i)
    for i in range(2500):
        try:
            deep(12, i)
        except Failure as failure:
            total += failure.code
    for i in range(8000):
        try:
            try:
                None.missing
            except AttributeError as error:
                raise RuntimeError("chained") from error
        except RuntimeError as error:
            total += error.__cause__ is not None
    return total, guard.swallowed
