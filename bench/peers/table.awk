# "KEY VALUE" lines to the table of peers: microseconds or seconds, and how many times ours.
{ fact[$1] = $2 }

function us(key) {
    if (!(key in fact)) return "-"
    v = fact[key]
    return v < 1000 ? sprintf("%.1f us", v) : sprintf("%.2f ms", v / 1000)
}

function ratio(key, ours) {
    return (key in fact) && fact[ours] > 0 ? sprintf("x%.0f", fact[key] / fact[ours]) : "-"
}

function row(title, name) {
    printf "%-34s %11s %7s %11s %7s %11s %7s  %s\n", title, us(name "_pair"), ratio(name "_pair", "houtao_pair"),
        us(name "_one"), ratio(name "_one", "houtao_one"), us(name "_many"), ratio(name "_many", "houtao_many"),
        (name "_equal") in fact ? fact[name "_equal"] : ""
}

END {
    printf "%s: %d arcs, %d junctions, %d turns; costs from arc to arc, one thread,\nmedians, x: times ours\n\n", fact["extract"], fact["arcs"],
        fact["junctions"], fact["turns"]
    printf "%-34s %11s %7s %11s %7s %11s %7s  %s\n", "", "pair", "", "1 to 100", "", "100 to 100", "", "equal to ours"
    row("houtao", "houtao")
    row("plain Dijkstra, in C, with turns", "dijkstra")
    row("SpatiaLite VirtualRouting, turns", "spatialite")
    row("  without turns", "spatialite_plain")
    row("pgRouting, turns", "pgrouting")
    row("  without turns", "pgrouting_plain")
    row("Routino (own speeds, turns)", "routino")
    printf "\nimport, s: houtao (car, with its hierarchy) %s, planetsplitter %s, spatialite_osm_net %s\n",
        fact["houtao_import"], fact["routino_import"], fact["spatialite_import"]
    printf "Routino: waypoint %s, length of its routes %s of ours\n", us("routino_snap"), fact["routino_length"]
}
