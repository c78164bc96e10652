# "KEY VALUE" lines to JSON; times end in _us or _s.
BEGIN { printf "{" }
{
    key = $1
    if (key ~ /_(pair|one|many|snap)$/) key = key "_us"
    if (key ~ /_(import|export|line|street)$/) key = key "_s"
    printf "%s\n  \"%s\": %s", (NR > 1 ? "," : ""), key, (key != "commit" && $2 ~ /^[0-9.]+$/ ? $2 : "\"" $2 "\"")
}
END { print "\n}" }
