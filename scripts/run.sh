#!/bin/sh
# sandboxd and judged in the foreground, ready for build/bin/judge.  Ctrl-C stops both.
#
#   STATE=DIR   where submissions are kept           (/var/lib/gavel)
#   RUN=DIR     folder of sandboxd's sockets         (/run/gavel)
#   LISTEN=H:P  where judged serves gRPC             (127.0.0.1:50051)
#   JUDGED_USER the unprivileged user judged runs as (gavel if there is one, else nobody)
#   JUDGED_ARGS more options for judged
#
# Without root, both run as the user who starts it, with ~/.local/state/gavel and
# $XDG_RUNTIME_DIR/gavel.  What that takes: sandbox(1), WITHOUT ROOT.
set -eu
cd "$(dirname "$0")/.."

listen=${LISTEN:-127.0.0.1:50051}
if [ "$(id -u)" -eq 0 ]; then
	state=${STATE:-/var/lib/gavel}
	run=${RUN:-/run/gavel}
	user=${JUDGED_USER:-$(id -un gavel 2>/dev/null || echo nobody)}
	uid=$(id -u "$user")
	gid=$(id -g "$user")
	install -d -m 0700 -o "$uid" -g "$gid" "$state"
	become="--reuid $uid --regid $gid --clear-groups"
else
	state=${STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/gavel}
	run=${RUN:-${XDG_RUNTIME_DIR:?is not set; name the folder of the sockets with RUN=DIR}/gavel}
	uid=$(id -u)
	install -d -m 0700 "$state"
	become=
fi
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
setpriv $become --no-new-privs \
	build/bin/judged --config rules/judge.yaml --state "sqlite:$state" \
	--program-socket "$run/program.sock" --jury-socket "$run/jury.sock" \
	--listen "$listen" ${JUDGED_ARGS:-} &
judged=$!
# One is of no use without the other.
while kill -0 "$sandboxd" 2>/dev/null && kill -0 "$judged" 2>/dev/null; do
	sleep 1 &
	wait $!
done
kill -0 "$sandboxd" 2>/dev/null || exit 1
wait "$judged"
