"""A trivial element, beside bare bwrap and beside bst.

The time from a record to a stored artifact is at most three times what bwrap alone takes for the same command.
"""
import os
import shutil
from harness import Side

PROJECT = "name: trivial\nmin-version: 2.0\nelement-path: elements\n"
BASE = "kind: import\nsources:\n- kind: local\n  path: files/base\n"
TRIVIAL = """kind: manual
build-depends:
- base.bst
config:
  install-commands:
  - mkdir -p "%{install-root}" && echo done > "%{install-root}/out"
variables:
  strip-binaries: ""
"""


def make(bench):
    project = bench.path("trivial")
    root = os.path.join(project, "files/base")
    os.makedirs(root + "/bin")
    os.makedirs(project + "/elements")
    shutil.copy(bench.tool("busybox"), root + "/bin/busybox")
    for applet in ("sh", "mkdir", "echo", "rm", "true"):
        os.symlink("busybox", root + "/bin/" + applet)
    for name, text in (("project.conf", PROJECT), ("elements/base.bst", BASE), ("elements/trivial.bst", TRIVIAL)):
        with open(os.path.join(project, name), "w", encoding="utf-8") as file:
            file.write(text)
    return project


def run(bench):
    project = make(bench)
    env = bench.environment("trivial-ours")
    record = bench.path("record")
    bench.sh("bst-key -C {0} --deps=all base.bst | bst-cache-query | bst-schedule".format(project), env)
    bench.sh("bst-key -C {} --deps=none trivial.bst | bst-fetch >{}".format(project, record), env)

    def forget():
        shutil.rmtree(os.path.join(env["BST_STORE"], "artifacts/refs/trivial/trivial"), ignore_errors=True)
        shutil.rmtree(os.path.join(env["BST_STORE"], "artifacts/results/trivial/trivial"), ignore_errors=True)

    root = project + "/files/base"
    script = 'sh -c -e \'mkdir -p /tmp/install && echo done > /tmp/install/out\''
    bwrap = "bwrap --ro-bind {} / --unshare-all --proc /proc --dev /dev --tmpfs /tmp {}".format(root, script)
    os.makedirs(root + "/proc", exist_ok=True)
    os.makedirs(root + "/dev", exist_ok=True)
    os.makedirs(root + "/tmp", exist_ok=True)
    bench.compare("building", [
        Side("bst-build", "bst-build", forget, env, stdin=record),
        Side("bwrap", bwrap, env=env),
    ], [("wall", 3)], 21)
    bench.compare("building and storing", [
        Side("bst-build | bst-commit-artifact", "bst-build | bst-commit-artifact", forget, env, stdin=record),
        Side("bwrap", bwrap, env=env),
    ], [("wall", 3)], 21)

    theirs = bench.environment("trivial-bst")
    bst = "{}/bin/bst --no-interactive -C {}".format(bench.real_bst(), make_again(project))
    bench.sh(bst + " build base.bst", theirs)

    def forget_theirs():
        shutil.rmtree(os.path.join(theirs["BST_STORE"], "artifacts/refs/trivial/trivial"), ignore_errors=True)

    bench.compare("the whole way from the project", [
        Side("pipeline", "bst-key -C {} trivial.bst | bst-cache-query | bst-schedule".format(project), forget, env),
        Side("bst build", bst + " build trivial.bst", forget_theirs, theirs),
    ], [], 5)


def make_again(project):
    """The same project in a directory of its own."""
    copy = project + "-bst"
    shutil.copytree(project, copy, symlinks=True)
    return copy
