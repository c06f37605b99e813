#!/bin/sh
# sandboxd and judged in the foreground, ready for build/bin/judge.  Ctrl-C stops both.
#
#   STATE=DIR   where submissions are kept           (/var/lib/gavel)
#   RUN=DIR     folder of sandboxd's sockets         (/run/gavel)
#   LISTEN=H:P  where judged serves gRPC             (127.0.0.1:50051)
#   JUDGED_USER the unprivileged user judged runs as (gavel if there is one, else nobody)
#   JUDGED_ARGS more options for judged
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || exec sudo -E scripts/run.sh "$@"

state=${STATE:-/var/lib/gavel}
run=${RUN:-/run/gavel}
listen=${LISTEN:-127.0.0.1:50051}
user=${JUDGED_USER:-$(id -un gavel 2>/dev/null || echo nobody)}
uid=$(id -u "$user")
gid=$(id -g "$user")

install -d -m 0700 -o "$uid" -g "$gid" "$state"
sandboxd= judged=
stop() {
	trap - INT TERM EXIT
	[ -z "$judged" ] || kill "$judged" 2>/dev/null || true
	[ -z "$judged" ] || wait "$judged" || true
	[ -z "$sandboxd" ] || kill "$sandboxd" 2>/dev/null || true
	[ -z "$sandboxd" ] || wait "$sandboxd" || true
}
trap stop EXIT
trap 'exit 0' INT TERM

build/bin/sandboxd --socket "$run" --rules rules --allow-uid "$uid" &
sandboxd=$!
# judged waits for the sockets itself.  Paths are relative: the user need not be able to
# reach this folder from the root of the file system.
setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs \
	build/bin/judged --config rules/judge.yaml --state "sqlite:$state" \
	--program-socket "$run/program.sock" --jury-socket "$run/jury.sock" \
	--listen "$listen" ${JUDGED_ARGS:-} &
judged=$!
wait "$judged"
