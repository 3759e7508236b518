expect() {
    found=$(echo "$2" | greet)
    if [ "$found" = "$3" ]; then echo "ok: $1"; else echo "FAIL: $1: expected \"$3\", found \"$found\""; exit 1; fi
}
expect "greets" World "Hello, World!"
expect "greets twice" "you two" "Hello, you two!"
expect "shouts" World "HELLO, WORLD!"
