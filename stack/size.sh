#!/bin/sh
# Prints how large the project is and fails if a bound is broken. It counts the
# lines of files that git tracks: hand-written Go, SQL, tests, and the reading
# path, which is what the README links to below the heading named here.
set -eu
cd "$(dirname "$0")/.."

heading='Read it in an afternoon'
max_go=28500 max_sql=570 max_tests=36000 max_path=3000

# lines FOLDER KIND prints the number of lines of that kind; FOLDER may be ".".
lines() {
	case $2 in
	go) git ls-files "$1" | grep '\.go$' | grep -v -e '_templ\.go$' -e '_test\.go$' ;;
	sql) git ls-files "$1" | grep '\.sql$' ;;
	tests) git ls-files "$1" | grep '_test\.go$' ;;
	esac | tr '\n' '\0' | xargs -0 -r cat | wc -l | tr -d ' '
}

# path prints the files of the reading path, each once.
path() {
	awk -v heading="$heading" '/^#/ { inside = index($0, heading) } inside' README.md |
		grep -o ']([^)#]*' | cut -c3- | grep -v '^http' | awk '!seen[$0]++'
}

row() { printf '%-16s %8s %8s %8s\n' "$@"; }

row module Go SQL tests
for module in auth db frontend product recommendation shared stack; do
	row "$module" "$(lines $module go)" "$(lines $module sql)" "$(lines $module tests)"
done
total_go=$(lines . go) total_sql=$(lines . sql) total_tests=$(lines . tests)
row total "$total_go" "$total_sql" "$total_tests"
row bound $max_go $max_sql $max_tests

total_path=0
echo
for file in $(path); do
	n=$(wc -l <"$file")
	printf '%-48s %6s\n' "$file" "$n"
	total_path=$((total_path + n))
done
printf '%-48s %6s\n%-48s %6s\n' 'reading path' $total_path bound $max_path

broken=0
check() {
	[ "$2" -le "$3" ] || { echo "$1: $2 lines, at most $3" >&2; broken=1; }
}
check Go "$total_go" $max_go
check SQL "$total_sql" $max_sql
check tests "$total_tests" $max_tests
check 'reading path' $total_path $max_path
[ $total_path -gt 0 ] || { echo "README.md has no links below \"$heading\"" >&2; broken=1; }
exit $broken
