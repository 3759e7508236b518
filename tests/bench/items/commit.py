"""Committing a tree of 20,000 small files, beside BuildStream's casd.

Cold at most 0.6 of casd's time, unchanged and again at most 0.4. casd is a server that runs already: only its call
is timed, while our side is whole processes.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
from harness import Side, UNITS

RUNS = 5


def run(bench):
    tree = bench.path("tree")
    subprocess.run([sys.executable, bench.shared("tools/gen-tree.py"), "small", tree], check=True)
    env = bench.environment("commit")
    record = bench.path("record")
    line = {
        "v": 1, "project": "bench", "element": "tree.bst", "kind": "manual", "key": "a" * 64, "weak_key": "b" * 64,
        "result": {"success": True, "description": "succeeded"},
    }

    def cold():
        shutil.rmtree(env["BST_STORE"], ignore_errors=True)
        warm()

    def warm():
        # The commit takes the directory of the work away; the tree itself lies elsewhere and stays.
        work = bench.path("work")
        os.makedirs(work, exist_ok=True)
        with open(record, "w", encoding="utf-8") as file:
            json.dump({**line, "work": {"dir": work, "files": tree}}, file)

    runs = bench.runs or RUNS
    casd = subprocess.run(
        [bench.real_bst() + "/bin/python", os.path.join(os.path.dirname(__file__), "..", "casd-capture"),
         bench.shared("tools/real-bst"), tree, bench.path("casd"), str(runs)],
        check=True, capture_output=True, text=True,
    )
    peer = json.loads(casd.stdout)
    for title, setup, limit in (("cold", cold, 0.6), ("again, unchanged", warm, 0.4)):
        side = Side("bst-commit-artifact", ["bst-commit-artifact"], setup, env, stdin=record)
        cold()
        bench.sh("bst-commit-artifact <" + record, env)
        bench.compare("20,000 files, " + title, [side], (), runs)
        key = "cold" if setup is cold else "again"
        for what in ("wall", "cpu"):
            values = [value * UNITS[what][1] for value in peer[key][what]]
            print("  casd, {}: {:.1f} ({:.1f} to {:.1f}) ms".format(what, statistics.median(values), min(values), max(values)))
            bench.judge("20,000 files, " + title, what, side.median(what), statistics.median(peer[key][what]), limit)
