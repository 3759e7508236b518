"""What the items of the bench share: whole processes are timed, ours and a peer in turn, and every figure is a median.

An item is a file in items/ with a docstring, of which the first line is its title, and a function run(bench).
"""
import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = {"wall": ("ms", 1e3), "cpu": ("ms", 1e3), "memory": ("MiB", 1 / 1024)}


class Unavailable(Exception):
    """A peer that is not there: the item is passed over with this reason."""


class Sample:
    """One run: seconds of wall clock, seconds of processor (with all children), KiB of peak memory."""

    def __init__(self, wall, cpu, memory):
        self.wall, self.cpu, self.memory = wall, cpu, memory


class Side:
    """One of the things that are compared: a command, and what puts its world in order before each run."""

    def __init__(self, label, command, setup=None, env=None, cwd=None, stdin=None, codes=(0,)):
        self.label, self.command, self.setup = label, command, setup
        self.env, self.cwd, self.stdin, self.codes = env or {}, cwd, stdin, codes
        self.samples = []

    def median(self, what):
        return statistics.median(getattr(sample, what) for sample in self.samples)


class Bench:
    """Scratch space, the programs, the peers, and the report."""

    def __init__(self, runs=None):
        self.scratch = tempfile.mkdtemp(prefix="bst-bench-")
        self.runs = runs
        self.missed, self.met = [], []
        target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
        self.programs = os.path.join(target, "release")

    def close(self):
        # Check-outs keep the modes of their trees, read-only directories included.
        subprocess.run(["chmod", "-R", "u+w", self.scratch], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.scratch, ignore_errors=True)

    # places

    def path(self, *parts):
        return os.path.join(self.scratch, *parts)

    def environment(self, name):
        """A sealed environment with a cache directory of its own, which is our store and bst's cache."""
        home = self.path(name)
        for directory in ("home", "cache", "config"):
            os.makedirs(os.path.join(home, directory), exist_ok=True)
        return {
            "PATH": self.programs + ":" + os.environ["PATH"],
            "HOME": os.path.join(home, "home"),
            "XDG_CACHE_HOME": os.path.join(home, "cache"),
            "XDG_CONFIG_HOME": os.path.join(home, "config"),
            "BST_STORE": os.path.join(home, "cache", "buildstream"),
            "LC_ALL": "C.UTF-8",
        }

    def shared(self, path):
        """A path in the shared directory (specifications, tools)."""
        found = subprocess.run([os.path.join(ROOT, "scripts", "shared"), path], capture_output=True, text=True)
        if found.returncode != 0:
            raise Unavailable(found.stderr.strip())
        return found.stdout.strip()

    def project(self, elements, *options):
        """A generated project."""
        out = self.path("project-" + "-".join([str(elements)] + [o.strip("-") for o in options]))
        if not os.path.isdir(out):
            busybox = shutil.which("busybox")
            command = [sys.executable, self.shared("tools/gen-project.py"), str(elements), out, "--busybox", busybox]
            subprocess.run(command + list(options), check=True, stderr=subprocess.DEVNULL)
        return out

    def real_bst(self):
        """The directory with the real BuildStream."""
        found = subprocess.run([self.shared("tools/real-bst")], capture_output=True, text=True)
        if found.returncode != 0:
            raise Unavailable("no BuildStream: " + found.stderr.strip().splitlines()[-1])
        return found.stdout.strip()

    def tool(self, name):
        """A program of the system."""
        found = shutil.which(name)
        if not found:
            raise Unavailable("no " + name)
        return found

    def sh(self, script, env, cwd=None, codes=(0,)):
        """Runs a line of shell that is not timed."""
        run = subprocess.run(["sh", "-c", script], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True)
        if run.returncode not in codes:
            raise RuntimeError("exit {}: {}\n{}".format(run.returncode, script, run.stderr.decode(errors="replace")[-2000:]))
        return run.stdout

    # measuring

    def compare(self, title, sides, targets=(), runs=5):
        """Runs the sides in turn and reports. A target is (what, how many times at most the last side's median)."""
        runs = self.runs or runs
        for _ in range(runs):
            for side in sides:
                if side.setup:
                    side.setup()
                side.samples.append(self.once(side))
        print("\n{} ({} run{}; median, least to most)".format(title, runs, "" if runs == 1 else "s"))
        width = max(len(side.label) for side in sides)
        for side in sides:
            print("  {:{}}  {}".format(side.label, width, "  ".join(figures(side, what) for what in UNITS)))
        for what, limit in targets:
            self.judge(title, what, sides[0].median(what), sides[-1].median(what), limit)
        sys.stdout.flush()

    def judge(self, title, what, ours, peer, limit):
        """Reports a ratio and whether it keeps to its target."""
        ratio = ours / peer if peer else float("inf")
        met = ratio <= limit
        (self.met if met else self.missed).append("{}: {}".format(title, what))
        print("  {}: {:.4f} of the peer, at most {:.4f}: {}".format(what, ratio, limit, "met" if met else "MISSED"))

    def once(self, side):
        stdin = open(side.stdin, "rb") if side.stdin else subprocess.DEVNULL
        with contextlib.ExitStack() as stack:
            if side.stdin:
                stack.enter_context(stdin)
            errors = stack.enter_context(tempfile.TemporaryFile())
            argv = side.command if isinstance(side.command, list) else ["sh", "-c", side.command]
            start = time.monotonic()
            process = subprocess.Popen(
                argv, env=side.env or None, cwd=side.cwd, stdin=stdin, stdout=subprocess.DEVNULL, stderr=errors
            )
            peak = PeakMemory(process.pid)
            _pid, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            memory = peak.stop()
            if process.returncode not in side.codes:
                errors.seek(0)
                text = errors.read().decode(errors="replace")[-2000:]
                raise RuntimeError("{}: exit {}\n{}".format(side.label, process.returncode, text))
        return Sample(wall, usage.ru_utime + usage.ru_stime, memory)


class PeakMemory(threading.Thread):
    """Reads the peak memory (KiB) of a process while it runs: the kernel's count at the end, ru_maxrss, starts from
    the peak of the process that started it."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.peak, self.done = "/proc/{}/status".format(pid), 0, threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.005):
            try:
                with open(self.path, encoding="ascii", errors="replace") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            self.peak = max(self.peak, int(line.split()[1]))
            except OSError:
                return

    def stop(self):
        self.done.set()
        self.join()
        return self.peak


def figures(side, what):
    unit, factor = UNITS[what]
    values = sorted(getattr(sample, what) * factor for sample in side.samples)
    return "{} {:.1f} ({:.1f} to {:.1f}) {}".format(what, statistics.median(values), values[0], values[-1], unit)


def machine():
    """What the figures hold for."""
    model, memory = "unknown processor", 0
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
        model = names[0] if names else model
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="utf-8") as info:
        memory = int(info.readline().split()[1]) // (1 << 20)
    scratch = subprocess.run(["stat", "-f", "-c", "%T", tempfile.gettempdir()], capture_output=True, text=True).stdout
    return "{}, {} processors, {} GiB, Linux {}, scratch on {}".format(
        model, os.cpu_count(), memory, platform.release(), scratch.strip() or "?"
    )
