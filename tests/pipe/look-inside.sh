# What a failed build left: its log, its tree, and a refusal of whatever would take it for a success.
cd project
bst-key parser.bst | bst-cache-query | bst-schedule --on-error=continue >/dev/null
bst-key --deps=none parser.bst | bst-cache-query >failed
jq -r '[.cache.state, .result.class, .result.phase, .result.exit, .result.command] | join(" | ")' failed
bst-log <failed | grep 'syntax error'
bst-checkout --directory ../refused <failed 2>/dev/null || echo "refused with $?"
ls ../refused 2>/dev/null
bst-checkout --allow-failed --tree=buildtree --directory ../tree <failed
cat ../tree/build.notes
