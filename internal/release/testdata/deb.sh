# Runs in a copy of the system, as root, with a network of its own: installs /ferry.deb and uses it as a person would who
# reads what the package says.
set -eu
fail() { echo "deb: $*" >&2; exit 1; }

ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || true
dpkg -i /ferry.deb >/tmp/installed 2>&1 || fail "$(cat /tmp/installed)"
grep -q 'systemctl enable --now ferry' /tmp/installed || fail "it does not say how to go on: $(cat /tmp/installed)"
getent passwd ferry >/dev/null || fail "there is no user ferry"
[ "$(stat -c '%U:%G %a' /etc/ferry/users.toml)" = "root:ferry 640" ] || fail "users.toml is $(stat -c '%U:%G %a' /etc/ferry/users.toml)"
ferry version | grep -q '^- commit: ' || fail "ferry version does not say its commit"
ferry version | grep -q '^ferry [0-9]' || fail "ferry version does not say the version of the package: $(ferry version)"
[ -s /usr/share/doc/ferry/manual/README.md ] && [ -s /usr/lib/systemd/system/ferry.socket ] || fail "the manual by task, or the socket, is missing"
[ -s /usr/share/man/man1/ferry-serve-ftp.1.gz ] || fail "there is no manual"
ls /etc/systemd/system/*.wants/ferry.service 2>/dev/null && fail "it would be started before it is configured"

# What the unit starts, as it starts it.
unit=/usr/lib/systemd/system/ferry.service
start=$(sed -n 's/^ExecStart=//p' $unit)
for d in State:lib Cache:cache Logs:log; do
	install -d -o ferry -g ferry -m 0750 /var/${d#*:}/ferry
done
echo secret | ferry users add camera --users /etc/ferry/users.toml >/dev/null 2>/tmp/add || fail "ferry users add: $(cat /tmp/add)"
[ "$(stat -c '%U:%G %a' /etc/ferry/users.toml)" = "root:ferry 640" ] || fail "after ferry users add, users.toml is $(stat -c '%U:%G %a' /etc/ferry/users.toml)"
setpriv --reuid ferry --regid ferry --init-groups --inh-caps +net_bind_service --ambient-caps +net_bind_service --no-new-privs \
	env -i PATH=/usr/bin:/bin STATE_DIRECTORY=/var/lib/ferry CACHE_DIRECTORY=/var/cache/ferry LOGS_DIRECTORY=/var/log/ferry \
	CONFIGURATION_DIRECTORY=/etc/ferry $start >/tmp/ferry.out 2>&1 &
pid=$!
i=0
until curl -s --max-time 2 ftp://127.0.0.1/ -u camera:secret >/dev/null; do
	i=$((i + 1))
	[ $i -lt 100 ] || fail "it does not answer: $(cat /tmp/ferry.out)"
	kill -0 $pid 2>/dev/null || fail "it has ended: $(cat /tmp/ferry.out)"
	sleep 0.1
done
echo hello | curl -sS --ssl-reqd -k -T - ftp://127.0.0.1/picture.txt -u camera:secret
[ "$(curl -sS ftp://127.0.0.1/picture.txt -u camera:secret)" = hello ] || fail "the file does not come back"
[ "$(cat /srv/ferry/camera/picture.txt)" = hello ] || fail "the file is not where it should be"
curl -sS http://localhost:5572/readyz >/dev/null || fail "the page does not answer"
kill $pid
wait $pid || fail "it did not end in good order: $(cat /tmp/ferry.out)"

dpkg -r ferry >/dev/null
[ -e /etc/ferry/users.toml ] || fail "removing it has removed its configuration"
[ -d /var/lib/ferry ] || fail "removing it has removed what waits"
dpkg -P ferry >/dev/null 2>&1
for left in /etc/ferry /var/lib/ferry /var/cache/ferry /var/log/ferry /usr/bin/ferry; do
	[ ! -e $left ] || fail "$left is left after a purge"
done
getent passwd ferry >/dev/null && fail "the user is left after a purge"
[ "$(cat /srv/ferry/camera/picture.txt)" = hello ] || fail "what users have stored is gone"
echo "deb: all is well"
