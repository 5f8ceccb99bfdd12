#!/bin/sh
# Renew constraints.txt: one pinned version of everything the environments and the members need, for every
# supported interpreter and platform. Called by `make lock`; uv's path stands in $UV.
set -eu
cd "$(dirname "$0")/.."

# The constraints in force must not hold the renewal back.
unset UV_CONSTRAINT PIP_CONSTRAINT

members=$(mktemp)
trap 'rm -f "$members"' EXIT
hidden=""
manifests=""
for folder in packages/*/; do
    name=$(sed -n '/^name = /{s/^name = "\(.*\)"$/\1/p;q;}' "$folder/pyproject.toml")
    echo "-e ./${folder%/}" >> "$members"
    manifests="$manifests ${folder}pyproject.toml"
    hidden="$hidden --no-emit-package $name"
done

groups=""
for group in tools lint build types test peers docs demo fuzz bench; do
    groups="$groups --group $group"
done

# Members are resolved from the checkout and left out: a constraint must not pin what is being developed.
# qh3 is left out because its marker fills a page; only a benchmark peer needs it.
# shellcheck disable=SC2086  # the lists are meant to be split
{
    echo "# Made by \`make lock\`: the versions that the environments install. Do not edit."
    "${UV:-uv}" pip compile --quiet --universal --upgrade --python-version 3.11 \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        $hidden --no-emit-package qh3 --all-extras $groups $manifests "$members"
} > constraints.txt.new
mv constraints.txt.new constraints.txt
echo "constraints.txt: $(grep -c '==' constraints.txt) pinned versions"
