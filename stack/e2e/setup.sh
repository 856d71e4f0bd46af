#!/bin/sh
# Makes sure that the tests find a browser, Redis, curl and what the race detector
# needs; on Debian it installs what is missing. The browser may be one without a
# window, which is smaller and costs less, but not if there is an argument.
set -eu

chromium=chromium-headless-shell
[ $# = 0 ] || chromium=chromium

have() { command -v "$1" >/dev/null 2>&1; }
browser() {
	[ -n "${CHROME:-}" ] || have "$chromium" || have chromium || have chromium-browser ||
		have google-chrome || have google-chrome-stable ||
		[ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

missing=
browser || missing="$missing chromium"
have curl || missing="$missing curl"
have redis-server || missing="$missing redis-server"
have cc || have gcc || have clang || missing="$missing gcc libc6-dev"
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if have apt-get && $as_root true 2>/dev/null; then
	$as_root apt-get update -qq
	if apt-cache show "$chromium" >/dev/null 2>&1; then
		missing=$(echo "$missing" | sed "s/chromium/$chromium/")
	fi
	echo "installing for the tests:$missing"
	# shellcheck disable=SC2086 # a list of packages
	DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
	exit 0
fi
echo "The tests need$missing: install them with this system's package manager (a browser may also be named by CHROME=/path/to/it), then run make test again." >&2
exit 1
