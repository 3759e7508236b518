"""A rebuild with nothing to do, and one with cached failures only, beside bst.

Both tools work on the same cache directory, which our pipeline filled; processor time at most 1/20 of bst's.
"""
from harness import Side

PIPELINE = "bst-key -C {} all.bst | bst-cache-query | bst-schedule --on-error=continue"


def run(bench):
    bst = bench.real_bst() + "/bin/bst"
    for title, options, code in (("nothing to do", [], 0), ("cached failures only", ["--fail", "20", "--fail-late"], 4)):
        project = bench.project(200, "--no-local", *options)
        env = bench.environment("rebuild-" + str(code))
        pipeline = PIPELINE.format(project)
        bench.sh(pipeline, env, codes=(0, 3))
        bench.compare(title + ", 200 elements", [
            Side("pipeline", pipeline, env=env, codes=(code,)),
            Side("bst build", [bst, "--no-interactive", "--on-error", "continue", "-C", project, "build", "all.bst"],
                 env=env, codes=(0,) if code == 0 else (255,)),
        ], [("cpu", 1 / 20)], 5)
