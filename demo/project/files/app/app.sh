#!/bin/sh
case ${1:-} in
--version) echo "app 1.0" ;;
*) echo "${1:-World}" | greet ;;
esac
