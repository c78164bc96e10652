#!/usr/bin/env bash
# Runs what README.md tells a newcomer to type: "your own town" as it stands there, and each curl line of its examples
# against a server on the sample town. Each has to answer with 2xx and, where it says JSON, with JSON; no jq may find
# nothing; and each call that the README is there to show has to be among them.
# Usage: readme.sh HOUTAO TOWN_DIR README WORK_DIR
set -u -o pipefail
houtao=$1 town=$2 readme=$3 work=$4
for tool in curl jq; do
    command -v "$tool" >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
: >calls && : >failures
server=
own='^build/release/houtao import '

end() {
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null
        wait "$server" || echo "houtao serve ended with $?" >>failures
        server=
    fi
}
trap end EXIT

# serve OPTIONS...: a server on a port of the kernel's choice; $address afterwards.
serve() {
    local tries
    end
    : >said
    "$houtao" serve --listen 127.0.0.1:0 --threads 2 "$@" >said 2>errors &
    server=$!
    for ((tries = 0; tries < 1200; tries++)); do
        address=$(sed -n 's/^houtao serve: //p' said)
        [ -z "$address" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server did not start: $(cat errors)" >>failures
    exit 1
}

# blocks PATTERN [WITHOUT]: the lines of the code blocks that have a line like PATTERN and none like WITHOUT, others
# empty: line numbers are the README's.
blocks() {
    awk -v want="$1" -v without="${2:-^nothing here$}" '
        /^```/ {
            if (open) { if (hit > 0) for (i = from; i < NR; i++) kept[i] = text[i]; open = 0; next }
            open = 1; hit = 0; from = NR + 1; next
        }
        open { text[NR] = $0; if ($0 ~ want) hit++; if ($0 ~ without) hit = -1000 }
        END { for (i = 1; i <= NR; i++) print kept[i] }' "$readme"
}

# What stands in for the two programs in the examples: they do what they do, and note what came of it.
cat >programs.sh <<'TEXT'
fail() { # LINE TEXT
    echo "README.md:$1: $2" >>"$work/failures"
}

curl() {
    local line=${BASH_LINENO[0]} answer code=0 status method type url file="" limit=60 argument before=""
    answer=$(mktemp "$work/answer-XXXXXX")
    for argument in "$@"; do
        [ "$before" != -o ] || file=$argument
        case $argument in */v1/stream*) limit=3 ;; esac # it has no end
        before=$argument
    done
    command curl --max-time "$limit" "$@" -w '%{stderr}\n%{http_code} %{method} %{url_effective}\t%{content_type}\n' \
        >"$answer" 2>"$answer.said" || code=$?
    read -r status method url < <(tail -n 1 "$answer.said" | cut -f 1)
    type=$(tail -n 1 "$answer.said" | cut -f 2)
    echo "$line $status $method $url" >>"$work/calls"
    case $status in
    2??) ;;
    *) fail "$line" "$method $url is answered with $status: $(head -c 300 "$answer")" ;;
    esac
    case $code in
    0) ;;
    28) [ "$limit" = 3 ] || fail "$line" "$method $url takes more than $limit s" ;;
    *) fail "$line" "curl ends with $code for $url" ;;
    esac
    [ -s "${file:-$answer}" ] || fail "$line" "$method $url answers nothing"
    case $type in
    *json*) # behind the headers, where -i shows them
        awk '/^HTTP\// { head = 1 } !head { print } /^\r?$/ { head = 0 }' "$answer" | command jq -e . >/dev/null 2>&1 ||
            fail "$line" "$method $url is no JSON: $(head -c 300 "$answer")" ;;
    esac
    cat "$answer" 2>/dev/null || : # who reads may stop early
}

jq() {
    local line=${BASH_LINENO[0]} found
    found=$(command jq "$@") || fail "$line" "jq $* ends with $?"
    if [ -z "$found" ] || grep -Eq '(^|[[:blank:]])null,?$' <<<"$found"; then
        fail "$line" "jq $* finds ${found:-nothing}"
    fi
    printf '%s\n' "$found"
}
set -E
trap 'fail $LINENO "ends with $?"' ERR
TEXT

# 1. A town of one's own, from an extract and a list of households.
own_town() {
    local line code number=0 commands=0
    ln -s "$town/streets.osm.pbf" your.osm.pbf
    ln -s "$town/households.csv" households.csv
    address=
    while IFS= read -r line; do
        number=$((number + 1))
        line=${line%%  #*}
        case $line in
        '') continue ;;
        './run build'*) ;; # whose binary this is
        'build/release/houtao serve '*)
            # shellcheck disable=SC2086
            serve ${line#build/release/houtao serve } ;;
        *)
            line=${line//build\/release\/houtao/\"\$houtao\"}
            line=${line//http:\/\/127.0.0.1:8080/$address}
            (. ./programs.sh && eval "$line") >own.said 2>&1 || {
                code=$?
                echo "README.md:$number: ends with $code: $(tail -n 3 own.said)" >>failures
            } ;;
        esac
        commands=$((commands + 1))
    done < <(blocks "$own")
    [ -n "$address" ] || echo "README.md does not serve a town of one's own" >>failures
    [ "$commands" -eq 5 ] || echo "README.md makes a town of one's own in $commands commands, not in five" >>failures
    end
}

# 2. The examples, in the order of the README, in one shell.
examples() {
    cp "$town/town.sqlite" examples.sqlite
    # the clock of ./run demo: a working day after the town was loaded
    local day=tomorrow
    case $(date +%u) in 5) day='3 days' ;; 6) day='2 days' ;; esac
    serve --network "$town/town.hnet" --store examples.sqlite --clock "$(date -d "$day" +%F)T10:40:00+08:00,10"
    until command curl -sf "$address/v1/search?q=x" >/dev/null; do sleep 0.1; done # as long as the demo takes to be read
    blocks '^(curl|h=)' "$own" |
        sed "s#http://127.0.0.1:8080#$address#g; s#/path/to/your.hnet#$town/town.hnet#g" >examples.sh
    # shellcheck disable=SC2016
    work=$work bash -c '. "$work/programs.sh"; . "$work/examples.sh"' >examples.said 2>&1
    end
}

# 3. Whether each line was run, and each part of the product shown.
complete() {
    local written run path
    written=$(blocks 'curl -' | grep -o '\bcurl -' | wc -l)
    run=$(wc -l <calls)
    [ "$written" -eq "$run" ] || echo "README.md has $written curl lines, $run were run" >>failures
    for path in /nearest/v1/ /route/v1/ /table/v1/ /trip/v1/ /match/v1/ /tile/v1/ /collections/households/items \
        /collections/factories/items /collections/facilities/items /v1/positions /v1/closest /v1/near /v1/search \
        /v1/stream /v1/traffic /v1/isochrone /v1/assign /v1/incidents '/v1/incidents/[^/]*/events' \
        '/v1/incidents/[^/]*/history' /v1/orders '/v1/orders/[^/]*/history' '/t/[^/]*' '/v1/units/[^/]*/plan' \
        /v1/settings/speeds /v1/speeds /v1/coverage /v1/coverage/moves /v1/regimes/ /v1/rounds '/v1/rounds/[^/]*/report' \
        /v1/visits '/v1/visits/[^/]*/result' /v1/rectifications /healthz /readyz /metrics /v1/network; do
        grep -Eq "^[0-9]+ 2.. [A-Z]+ http://[^/]+$path" calls || echo "README.md shows no $path that answers" >>failures
    done
}

own_town
examples
complete
if [ -s failures ]; then
    cat failures
    exit 1
fi
echo "$(wc -l <calls) curl lines of README.md answer"
