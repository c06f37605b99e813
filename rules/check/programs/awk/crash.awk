BEGIN { exit 1 }
