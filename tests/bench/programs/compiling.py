"""The compiler: source to code objects, abstract syntax trees."""
import ast

SOURCE = '''
class Account{n}:
    """An account."""
    rate = {n} * 0.01

    def __init__(self, owner, balance=0):
        self.owner, self.balance = owner, balance

    def deposit(self, amount, *, note=None):
        if amount <= 0 or not isinstance(amount, int):
            raise ValueError(f"bad amount {{amount!r}} of {{self.owner}}")
        self.balance += amount
        return [entry for entry in (note, amount) if entry is not None]

    def report(self):
        try:
            for year, value in enumerate(self.grow(5), start=1):
                yield {{"year": year, "value": value, **self.extra}}
        except (KeyError, AttributeError) as error:
            raise RuntimeError("no extra") from error
'''


def run():
    total = 0
    for round_number in range(3):
        source = "".join(SOURCE.format(n=n) for n in range(30))
        tree = ast.parse(source)
        total += sum(1 for _ in ast.walk(tree))
        names = {}
        exec(compile(tree, "<bench>", "exec"), names)
        total += len(names) + len(compile(source, "<bench>", "exec").co_consts)
    return total
