# The main job, twice: the second run builds nothing and replays the failures.
cd project
what='[.element, .schedule.action, .result.class // "-", (.schedule.blocked_by // [] | map(.element) | join("+"))] | join(" ")'
bst-key all.bst | bst-cache-query | bst-schedule --on-error=continue | jq -r "$what"
echo
bst-key all.bst | bst-cache-query | bst-schedule --on-error=continue | jq -r "$what"
echo
bst-key all.bst | bst-cache-query | jq -r '.element + " " + .cache.state'
bst-key all.bst | bst-cache-query | bst-schedule --on-error=continue >/dev/null
