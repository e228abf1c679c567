"""The command line, and the order of the steps."""
import argparse
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from . import check, compiler, emit, image, options, passes, source, training, tree, wasm, wasm2c
from .cache import Cache, digest
from .errors import Failure
from .passes.common import Context
from .progress import Progress

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = ROOT / "build" / "release" / "libretort-sandbox.a"
DEFAULT_DISPATCH = "_PyEval_EvalFrameDefault"
# Static: no interpreter or library to find, so that it starts where the root is empty; and fewer
# mappings for each fork to copy. The sanitizers' runtime cannot be.
STATIC, DYNAMIC = "-static-pie", "-pie"
LINK_FLAGS = ("-Wl,-z,relro,-z,now",)
# The driver refers to __gcov_dump weakly, which alone does not take it from the library.
INSTRUMENTED_LIBRARIES = ("-Wl,-u,__gcov_dump", "-lgcov")
LIBRARIES = ("-lseccomp", "-lm")


def parser():
    result = argparse.ArgumentParser(
        prog="retort-aot", description="Makes an image of a WASI preview 1 command module.")
    add = result.add_argument
    add("module", metavar="MODULE.wasm", type=Path)
    add("-o", dest="image", metavar="IMAGE", type=Path, required=True,
        help="directory of the image; replaced as a whole")
    add("--rootfs", metavar="DIR", type=Path, help="becomes the guest's read-only file tree")
    add("--language", metavar="NAME", help="name of the language (default: the module's name)")
    add("--arg", metavar="ARG", action="append", default=[],
        help="argument of the guest, argv[0] first (default: the module's name)")
    add("--env", metavar="NAME=VALUE", action="append", default=[])
    add("--bootstrap", metavar="FILE", type=Path,
        help="its text becomes the guest's last argument; it reads /dev/job, the fork point")
    add("--reads-job-device", action="store_true",
        help="the guest reads /dev/job by itself: that is the fork point")
    add("--rehearsal", metavar="FILE", type=Path,
        help="a short program that the zygote runs once to learn which pages jobs need")
    group = result.add_argument_group("training (profile-guided optimization)")
    group.add_argument("--train", metavar="FILE", type=Path, action="append", default=[],
                       help="run the guest with FILE as /work/main.py")
    group.add_argument("--train-args", metavar="ARGS", action="append", default=[],
                       help="run the guest with these further arguments (one shell-quoted word)")
    group = result.add_argument_group("steps that can be turned off, to measure them")
    for step in options.STEPS:
        group.add_argument(f"--no-{step.name}", dest="disabled", action="append_const",
                           const=step.name, default=[], help=step.help)
    group = result.add_argument_group("code generation")
    group.add_argument("--base", metavar="ADDRESS", default="auto",
                       help="host address of linear address 0: auto (0 if the module allows it), "
                            "or a number")
    group.add_argument("--dispatch", metavar="FUNCTION", default=DEFAULT_DISPATCH,
                       help="wasm name of the evaluation loop: a unit of its own, computed goto "
                            "(default: %(default)s, if there is one)")
    group.add_argument("--opt", default="-O3", help="gcc's optimization level (-O3)")
    group.add_argument("--cflags", default="", help="further flags for every unit")
    group.add_argument("--dispatch-cflags", default=" ".join(compiler.DISPATCH_FLAGS),
                       help="further flags for the evaluation loop (%(default)s)")
    group.add_argument("--units", metavar="N", type=int, default=4)
    group.add_argument("--jobs", metavar="N", type=int, default=2)
    group = result.add_argument_group("tools and places")
    group.add_argument("--cc", default="gcc")
    group.add_argument("--wasm2c", default="wasm2c")
    group.add_argument("--library", metavar="FILE", type=Path, default=LIBRARY,
                       help="libretort-sandbox.a (default: the release build's)")
    group.add_argument("--ldflags", default="", help="further flags for the linker")
    group.add_argument("--cache", metavar="DIR", type=Path,
                       help="(default: $RETORT_CACHE or ~/.cache/retort)")
    group.add_argument("--driver", action="store_true",
                       help="link the training driver in place of the sandbox: the program runs "
                            "the guest once, unprotected; for tests of the translation")
    group.add_argument("--keep-source", metavar="DIR", type=Path,
                       help="also write the generated C there")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress lines")
    return result


class Build:
    """One run of the tool."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.progress = Progress(arguments.quiet)
        self.cache = Cache(arguments.cache)
        self.enabled = options.resolve(arguments.disabled)
        self.toolchain = compiler.Toolchain(
            arguments.cc, ROOT, arguments.opt, tuple(shlex.split(arguments.cflags)),
            tuple(shlex.split(arguments.dispatch_cflags)), max(1, arguments.jobs),
            "lto" in self.enabled)
        self.compiler = compiler.Compiler(self.toolchain, self.cache, self.progress)
        self.module = None
        self.sha256 = ""

    def run(self):
        if not self.arguments.library.exists():
            raise Failure(f"{self.arguments.library} does not exist; run make first")
        self._read_module()
        scratch = self.cache.scratch("work")
        try:
            c_source = self._source(scratch)
            tree_path = scratch / "tree"
            with open(tree_path, "wb") as file:
                tree.write(self.arguments.rootfs, file)
            program = self._compile(c_source, tree_path, scratch)
            image.write(self.arguments.image, program, tree_path, self._description())
        finally:
            shutil.rmtree(scratch)
        self.progress.say(f"{self.arguments.image} is ready")

    def _read_module(self):
        try:
            data = self.arguments.module.read_bytes()
        except OSError as error:
            raise Failure(f"cannot read {self.arguments.module}: {error.strerror}") from None
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.module = wasm.parse(data)
        check.check(self.module, check.wasi_functions(ROOT / "worker/wasi/functions.def"))

    def _base(self):
        fits = check.fits_base_zero(self.module)
        if "constant-base" not in self.enabled:
            fits = False
        if self.arguments.base == "auto":
            return 0 if fits else emit.BASE_ELSEWHERE
        base = int(self.arguments.base, 0)
        if base % 65536 or not 0 <= base < 1 << 46:
            raise Failure("--base must be a multiple of 65536 below 2^46")
        if base == 0 and not fits:
            raise Failure("this module cannot be at base 0: its data or its stack lies in the "
                          "first 64 KiB (link it with --stack-first), or constant-base is off")
        return base

    def _source(self, scratch):
        """The C source, from the cache when nothing that it depends on has changed."""
        base, units, dispatch = self._base(), self.arguments.units, self._dispatch()
        wasm2c.check_version(self.arguments.wasm2c)
        key = digest(self.sha256, source.tool_identity(), *sorted(self.enabled), base, units,
                     dispatch)
        result = source.cached(self.cache, key,
                               lambda: self._translate(scratch, base, units, dispatch))
        for note in result.notes:
            self.progress.say("  " + note)
        if self.arguments.keep_source:
            self.arguments.keep_source.mkdir(parents=True, exist_ok=True)
            result.write(self.arguments.keep_source)
        return result

    def _translate(self, scratch, base, units, dispatch):
        megabytes = self.arguments.module.stat().st_size / 1e6
        with self.progress.step("translating with wasm2c", megabytes * 0.4):
            text, header = wasm2c.translate(self.arguments.wasm2c, self.arguments.module, scratch)
        with self.progress.step("rewriting", megabytes * 2):
            program = wasm2c.parse(text, header, self.module)
            context = Context(self.module, self.enabled, dispatch)
            passes.run(program, context)
            return emit.emit(program, context, self.sha256, base, units)

    def _dispatch(self):
        name = self.arguments.dispatch
        if name in self.module.function_names.values():
            return name
        if name != DEFAULT_DISPATCH and name:
            raise Failure(f"the module has no function named {name}")
        return ""

    def _guest_argv(self):
        argv = list(self.arguments.arg) or [self.arguments.module.stem]
        if self.arguments.bootstrap:
            argv.append(self.arguments.bootstrap.read_text(encoding="utf-8"))
        return argv

    def _bootstraps(self):
        return bool(self.arguments.bootstrap) or self.arguments.reads_job_device

    def _rehearsal(self):
        file = self.arguments.rehearsal
        return file.read_text(encoding="utf-8") if file else ""

    def _description(self):
        language = self.arguments.language or self.arguments.module.stem
        return image.Description(language, self.sha256, self._bootstraps(),
                                 tuple(self._guest_argv()), tuple(self.arguments.env),
                                 self._rehearsal())

    def _compile(self, c_source, tree_path, scratch):
        profile = self._profile(c_source, tree_path, scratch)
        mode = "use" if profile else "plain"
        objects = self.compiler.compile(c_source, mode, profile)
        return self._link(objects, scratch / "program", self.arguments.driver, ())

    def _profile(self, c_source, tree_path, scratch):
        files, lists = self.arguments.train, [shlex.split(a) for a in self.arguments.train_args]
        if "profile" not in self.enabled or not (files or lists):
            return None
        plan = training.Plan(self._guest_argv(), self.arguments.env, tree_path,
                             digest(tree_path.read_bytes()), self._bootstraps(), files, lists)

        def program():
            objects = self.compiler.compile(c_source, "instrument")
            return self._link(objects, scratch / "instrumented", True, INSTRUMENTED_LIBRARIES)

        units = [unit.text for unit in c_source.units]
        return training.profile(self.cache, self.progress, program, plan,
                                [self.compiler.identity, self.arguments.opt,
                                 self.arguments.cflags, c_source.header, *units])

    def _link(self, objects, target, driver, libraries):
        arguments = self.arguments
        ldflags = shlex.split(arguments.ldflags)
        sanitized = any(flag.startswith("-fsanitize") for flag in ldflags)
        command = [arguments.cc, DYNAMIC if sanitized else STATIC, *LINK_FLAGS, *ldflags,
                   "-o", str(target), *map(str, objects)]
        if driver:
            command += ["-std=gnu11", f"-I{ROOT}", "-O1",
                        str(ROOT / "aot" / "runtime" / "train_main.c")]
        command += [str(arguments.library), *LIBRARIES, *libraries]
        with self.progress.step("linking"):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines()
                     if "undefined" in line or "error" in line] or [done.stderr]
            raise Failure(f"the program cannot be linked: {lines[0][:400]}")
        return target


TAKE_DASHES = ("--arg", "--env", "--train-args", "--opt", "--cflags", "--dispatch-cflags",
               "--ldflags")


def join_values(argv):
    """--arg -I is --arg=-I: argparse would take a value with a dash for an option."""
    words, result = iter(argv), []
    for word in words:
        value = next(words, None) if word in TAKE_DASHES else None
        result.append(word if value is None else f"{word}={value}")
    return result


def main(argv):
    arguments = parser().parse_args(join_values(argv))
    try:
        Build(arguments).run()
    except Failure as failure:
        print(f"retort-aot: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("retort-aot: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0
