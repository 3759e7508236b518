"""Start-up of each program, beside /bin/true.

What a program needs before it does anything: `--version`, 200 times.
"""
import os
import statistics
import time

TIMES = 200


def run(bench):
    env = bench.environment("startup")
    names = sorted(name for name in os.listdir(bench.programs) if name.startswith("bst-") and "." not in name)
    commands = {"/bin/true": ["/bin/true"], "git --version": [bench.tool("git"), "--version"]}
    commands.update({name: [os.path.join(bench.programs, name), "--version"] for name in names})
    samples = {label: [] for label in commands}
    # In turn, so that a busy moment hits all of them.
    for _ in range(TIMES):
        for label, argv in commands.items():
            samples[label].append(once(argv, env))
    print("\n{} runs each; median, least to most, in ms".format(TIMES))
    for label, times in samples.items():
        print("  {:22} {:.2f} ({:.2f} to {:.2f})".format(label, statistics.median(times), min(times), max(times)))
    slowest = max(names, key=lambda name: statistics.median(samples[name]))
    bench.judge("start-up of the slowest, " + slowest + ", beside /bin/true",
                "wall", statistics.median(samples[slowest]), statistics.median(samples["/bin/true"]), 2)


def once(argv, env):
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _pid, status = os.waitpid(pid, 0)
    if status != 0:
        raise RuntimeError("{}: status {}".format(argv, status))
    return (time.perf_counter() - start) * 1e3
