package flags

import (
	"strings"
	"testing"
)

// The flag table of the manual that ferry follows. Where a default is that of the machine it was
// printed on, or ferry writes it in another way, the second column says what it is here.
const flagsOfTheManual = `
--addr string | localhost:2121 | IPaddress:Port or :Port to bind server to. (default "localhost:2121")
--cache-dir string | | Directory rclone will use for caching.
--dir-cache-time duration | 5m | Time to cache directory entries for. (default 5m0s)
--dir-perms FileMode | 777 | Directory permissions (default 0777)
--file-perms FileMode | 666 | File permissions (default 0666)
--gid uint32 | | Override the gid field set by the filesystem. (default 1001)
--no-checksum | false | Don't compare checksums on up/download.
--no-modtime | false | Don't read/write the modification time (can speed things up).
--no-seek | false | Don't allow seeking in files.
--pass string | | Password for authentication. (empty value allow every password)
--passive-port string | 30000-32000 | Passive port range to use. (default "30000-32000")
--poll-interval duration | 1m | Time to wait between polling for changes. Must be smaller than dir-cache-time. Only on supported remotes. Set to 0 to disable. (default 1m0s)
--public-ip string | | Public IP address to advertise for passive connections.
--read-only | false | Mount read-only.
--uid uint32 | | Override the uid field set by the filesystem. (default 1001)
--umask int | 2 | Override the permission bits set by the filesystem. (default 2)
--user string | anonymous | User name for authentication. (default "anonymous")
--vfs-cache-max-age duration | 1h | Max age of objects in the cache. (default 1h0m0s)
--vfs-cache-max-size SizeSuffix | off | Max total size of objects in the cache. (default off)
--vfs-cache-mode CacheMode | off | Cache mode off|minimal|writes|full (default off)
--vfs-cache-poll-interval duration | 1m | Interval to poll the cache for stale objects. (default 1m0s)
--vfs-read-chunk-size SizeSuffix | 128M | Read the source objects in chunks. (default 128M)
--vfs-read-chunk-size-limit SizeSuffix | off | If greater than --vfs-read-chunk-size, double the chunk size after each chunk read, until the limit is reached. 'off' is unlimited. (default off)
--buffer-size SizeSuffix | 16M | The --buffer-size flag determines the amount of memory, that will be used to buffer data in advance.
--low-level-retries int | 10 | If an upload fails it will be retried up to --low-level-retries times.
`

// Every flag of the manual is there, takes the values that the manual shows, and has the default
// that it says.
func TestTheFlagTableOfTheManual(t *testing.T) {
	rows, others := map[string]Flag{}, map[string]Flag{}
	for _, set := range []map[string]Flag{rows, others} {
		for _, g := range All(&Options{}) {
			for _, row := range g.Flags {
				name, _ := row.name()
				set[name] = row
			}
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(flagsOfTheManual), "\n") {
		columns := strings.SplitN(line, " | ", 3)
		if len(columns) < 3 { // the default is empty
			columns = []string{strings.TrimSuffix(strings.SplitN(line, "| |", 2)[0], " "), "", strings.SplitN(line, "| |", 2)[1]}
		}
		name := strings.TrimPrefix(strings.Fields(columns[0])[0], "--")
		t.Run(columns[0]+" "+columns[2], func(t *testing.T) {
			row, ok := rows[name]
			if !ok {
				t.Fatalf("there is no --%s", name)
			}
			if len(strings.Fields(columns[0])) == 1 && row.bare() == "" {
				t.Error("it needs a value")
			}
			want := strings.TrimSpace(columns[1])
			if want == "" {
				return
			}
			ours, manual := row.Value, others[name].Value
			if err := ours.Set(row.Default); err != nil {
				t.Fatal(err)
			}
			if err := manual.Set(want); err != nil || ours.String() != manual.String() {
				t.Errorf("the default is %s, not %s (%v)", ours, manual, err)
			}
		})
	}
}
