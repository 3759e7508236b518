"""Loading and keying generated projects, beside bst show.

Processor time of 1,000 elements at most 1/40 of bst's, of 5,000 at most 1/30 and half the memory.
"""
from harness import Side


def run(bench):
    bst = bench.real_bst() + "/bin/bst"
    for elements, limit, runs in ((1000, 1 / 40, 5), (5000, 1 / 30, 3)):
        project = bench.project(elements)
        env = bench.environment("keying-{}".format(elements))
        ours = Side("bst-key", ["bst-key", "-C", project, "all.bst"], env=env)
        peer = Side("bst show", [bst, "--no-interactive", "-C", project, "show", "--deps", "all",
                                 "--format", "%{name} %{full-key}", "all.bst"], env=env)
        targets = [("cpu", limit)] + ([("memory", 1 / 2)] if elements == 5000 else [])
        bench.compare("keying {} elements".format(elements), [ours, peer], targets, runs)
