"""verify.py STORE: checks a store from the outside, with a reader of its own for the few messages that matter.

Every object must have the bytes of its name, every ref must hold an artifact of which all is there, every metadata
file must be JSON. Prints what is wrong and exits 1 if anything is.
"""
import hashlib
import json
import os
import sys

EMPTY = hashlib.sha256(b"").hexdigest()


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """Each field of a protobuf message: number and value (an integer, or bytes)."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            length, at = varint(data, at)
            if at + length > len(data):
                raise ValueError("cut")
            value, at = data[at:at + length], at + length
        else:
            raise ValueError("wire type {}".format(tag & 7))
        yield tag >> 3, value


def digest(data):
    """(hash, size) of a Digest message."""
    found = dict(fields(data))
    return found.get(1, b"").decode(), found.get(2, 0)


class Store:
    def __init__(self, root):
        self.root, self.problems, self.seen = root, [], set()

    def object(self, name):
        return os.path.join(self.root, "cas", "objects", name[:2], name[2:])

    def objects(self):
        """Every object holds the bytes of its name."""
        for directory, _dirs, files in os.walk(os.path.join(self.root, "cas", "objects")):
            for file in files:
                path = os.path.join(directory, file)
                name = os.path.basename(directory) + file
                if len(name) != 64:
                    continue  # a temporary file that a killed writer left
                with open(path, "rb") as content:
                    if hashlib.sha256(content.read()).hexdigest() != name:
                        self.problems.append("object {} has other bytes".format(name))

    def blob(self, data, what):
        name, size = digest(data)
        if name == EMPTY and size == 0:
            return b""
        try:
            with open(self.object(name), "rb") as file:
                content = file.read()
        except FileNotFoundError:
            self.problems.append("{}: object {} is missing".format(what, name))
            return None
        if len(content) != size:
            self.problems.append("{}: object {} has {} bytes, not {}".format(what, name, len(content), size))
        return content

    def tree(self, data, what):
        if data in self.seen:
            return
        self.seen.add(data)
        content = self.blob(data, what)
        for number, node in fields(content or b""):
            if number not in (1, 2):
                continue
            for inner, value in fields(node):
                if inner == 2:
                    (self.blob if number == 1 else self.tree)(value, what)

    def refs(self):
        """Every ref holds an artifact of which all is there. Returns their names."""
        root = os.path.join(self.root, "artifacts", "refs")
        names = {}
        for directory, _dirs, files in os.walk(root):
            for file in files:
                if len(file) != 64:
                    continue
                path = os.path.join(directory, file)
                name = os.path.relpath(path, root)
                with open(path, "rb") as content:
                    data = content.read()
                names[name] = data
                try:
                    self.artifact(data, name)
                except (ValueError, IndexError) as error:
                    self.problems.append("ref {}: {}".format(name, error))
        return names

    def artifact(self, data, name):
        found = list(fields(data))
        if (1, 2) not in found or not any(number == 5 for number, _value in found):
            raise ValueError("no artifact")
        for number, value in found:
            if number in (8, 12, 13, 17):  # files, buildtree, sources, buildroot
                self.tree(value, name)
            elif number in (10, 14, 15):  # public data, environment, variables
                self.blob(value, name)
            elif number == 11:  # logs
                self.blob(dict(fields(value))[2], name)

    def metadata(self):
        for directory, _dirs, files in os.walk(os.path.join(self.root, "artifacts", "results")):
            for file in files:
                if file.endswith(".json") and not file.startswith("."):
                    path = os.path.join(directory, file)
                    try:
                        with open(path, encoding="utf-8") as content:
                            json.load(content)
                    except ValueError as error:
                        self.problems.append("{}: {}".format(path, error))


def verify(root):
    """-> (problems, {ref: bytes})"""
    store = Store(root)
    store.objects()
    refs = store.refs()
    store.metadata()
    return store.problems, refs


if __name__ == "__main__":
    found, refs_found = verify(sys.argv[1])
    print("\n".join(found) if found else "{} refs, all whole".format(len(refs_found)))
    sys.exit(1 if found else 0)
