#!/bin/sh
# Prints the names of a list, one a line.
for word in "$@"; do
    case $word in
    *[!a-z]*) echo "no name: $word" >&2 ;;
    *) echo "$word"
    fi
done
