#!/bin/sh
# Prints what CHANGES.md, or the file named second, says of a version, such as
# v0.6.0 or 0.6.0. That it says nothing is an error.
set -eu
version=${1#v}
file=${2:-$(dirname "$0")/../CHANGES.md}

# Blank lines only between others. The "" compares as text: 0.10 is not 0.1.
awk -v version="$version" '
	/^## / { inside = $2 "" == version; next }
	inside && !NF { blank = blank "\n" }
	inside && NF { printf "%s%s\n", said ? blank : "", $0; said = 1; blank = "" }
	END { exit !said }
' "$file" || { echo "$file says nothing of version $version" >&2; exit 1; }
