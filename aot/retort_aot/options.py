"""The optimization steps: one row each, every one a switch (--no-NAME turns it off)."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    name: str       # of the switch
    needs: tuple    # steps without which it is off too
    help: str


STEPS = (
    Step("constant-base", (), "loads and stores at a constant base address"),
    Step("static-instance", (), "instance state at constant addresses, no instance parameter"),
    Step("call-tables", ("static-instance",), "one constant function table per function type"),
    Step("native-libc", ("constant-base",), "native bodies for memcpy, strlen, sin, ..."),
    Step("computed-goto", (), "computed goto in the evaluation loop"),
    Step("lto", (), "inlining across units (link-time optimization)"),
    Step("profile", (), "profile-guided optimization, when there is something to train with"),
)


def resolve(disabled):
    """The names of the steps that are on when those in `disabled` are switched off."""
    enabled = set()
    for step in STEPS:
        if step.name not in disabled and all(need in enabled for need in step.needs):
            enabled.add(step.name)
    return enabled
