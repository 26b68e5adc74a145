#!/bin/sh
# Uploads the test file of EICAR, which every scanner finds and which harms nothing, and says
# whether the server refuses it.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 HOST PORT USER PASSWORD" >&2; exit 2; }
# In two parts, so that no scanner finds this script.
test_file='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS'
test_file=$test_file'-TEST-FILE!$H+H*'
if out=$(printf '%s' "$test_file" | curl -sS -v -T - -u "$3:$4" "ftp://$1:$2/eicar.txt" 2>&1); then
	echo "It was NOT refused: remove eicar.txt, and look into the log of ferry." >&2
	exit 1
fi
case $out in
*"< 550 "*) printf '%s\n' "$out" | grep '^< 550' ;;
*) printf '%s\n' "$out" >&2; exit 1 ;;
esac
