NR == 1 { n = $1; next }
NR <= n + 1 { printf "%d\n", $1 + $2 }
