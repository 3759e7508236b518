# A record that a script made, with no project at all: what is stored, found and taken out is the script's own tree.
mkdir -p "my work/files/usr/share"
echo hello >"my work/files/usr/share/a file"
jq -cn --arg dir "$PWD/my work" --arg key "$(printf 'my inputs' | sha256sum | cut -c1-64)" '
    {v: 1, project: "mine", element: "hand made.bst", key: $key, weak_key: $key,
     result: {success: true, description: "succeeded"}, work: {dir: $dir, files: ($dir + "/files")}}' >record
bst-commit-artifact <record >stored
jq -r '.artifact.ref' stored
ls
bst-cache-query <record | jq -r '.cache.state'
jq -c 'del(.work)' record | bst-cache-query | bst-checkout --directory out
cat "out/usr/share/a file"
