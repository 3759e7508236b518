# bst-plumbing. `make` builds, `make demo` shows what it is for, `make check` tests everything that needs no peer.
# Variables: PREFIX DESTDIR for install; BST_SHARED for the projects and tools that check, interop and bench share.

PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Programs that talk to the network are a package of their own; both packages build into one directory.
RELEASE = $(TARGET)/release
DEBUG = $(TARGET)/debug

.PHONY: all demo check fmt-check clippy test conformance interop bench crash fuzz install uninstall clean

all:
	$(CARGO) build --release --workspace

demo:
	@scripts/need bwrap busybox jq cc
	@$(CARGO) build --quiet --workspace
	@PATH="$(abspath $(DEBUG)):$$PATH" demo/run

check: fmt-check clippy test conformance

fmt-check:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings

# The tests call the programs of both packages, so all of them are built first.
test:
	@scripts/need bwrap busybox jq cc mandoc git patch xz zstd lzip bzip2 zsh fish python3
	$(CARGO) build --workspace
	$(CARGO) test --workspace

# Keys of real and of small projects, compared with those that BuildStream gives.
conformance:
	@scripts/need python3
	@if run=$$(scripts/shared conformance/run); then \
	    $(CARGO) build --quiet && plugins=$$(scripts/plugins) && BST_PLUGIN_PATH=$$plugins \
	    tests/conformance/check "$$run" "$(abspath $(DEBUG))/bst-key"; \
	elif [ -n "$(CI)" ]; then \
	    echo "conformance: nothing to compare with" >&2; exit 1; \
	else \
	    echo "conformance: skipped" >&2; \
	fi

# Against the real BuildStream: one cache directory, two tools.
interop: all
	@scripts/need bwrap busybox jq cc git patch xz zstd lzip fusermount3 python3
	tests/interop/run

# Times, with the peers beside.
bench: all
	@scripts/need bwrap busybox jq python3 fusermount3 git ninja
	tests/bench/run $(ITEMS)

# SIGKILL at random moments, full disks, power cuts.
crash: all
	@scripts/need bwrap busybox jq cc python3
	tests/crash/run
	tests/faults/run

fuzz:
	tests/fuzz/run

install: all
	scripts/install "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

uninstall:
	scripts/install --remove "$(RELEASE)" "$(DESTDIR)$(PREFIX)"

clean:
	$(CARGO) clean
