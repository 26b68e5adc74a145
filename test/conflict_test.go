package test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Two ferries, each with a cache of its own, store one name of a bucket at the same time. With
// --conflict keep both contents are there in the end, without it that which was sent last.
func TestTwoFerriesStoreOneName(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for conflict, kept := range map[string]bool{"keep": true, "overwrite": false, "auto": false} {
		t.Run(conflict, func(t *testing.T) {
			where := "far:" + s.fresh(t)
			node := func(name, wait string) (*process, *ftpClient) {
				env := append(s.environment("far", s.addr), "FERRY_VFS_CACHE_MODE=writes", "FERRY_VFS_WRITE_BACK="+wait,
					"FERRY_NODE="+name, "FERRY_CONFLICT="+conflict,
					"FERRY_RC=true", "FERRY_RC_NO_AUTH=true", "FERRY_RC_ADDR=127.0.0.1:0")
				proc, addr := serveAt(t, where, env)
				return proc, login(t, "", addr)
			}
			_, direct := serveAt(t, where, append(s.environment("far", s.addr), "FERRY_DIR_CACHE_TIME=0s"))
			sees := login(t, "", direct)
			names := func() []string { return lines(sees.fetch("NLST")) }
			reads, err := loginMortal(direct)
			if err != nil {
				t.Fatal(err)
			}
			defer reads.close()
			// While this gateway replaces an object, it may give the new content with the old ETag:
			// then a read ends in an error, for its checksum.
			holds := func(name, want string) bool {
				got, err := reads.fetch(name)
				if err != nil && code(err)/100 != 4 {
					t.Fatal(err)
				}
				return err == nil && got != nil && *got == want
			}

			_, first := node("first", "0s")
			late, later := node("later", "1h")
			later.upload("STOR report.csv", []byte("of the later one"))
			first.upload("STOR report.csv", []byte("of the first one"))
			eventually(t, "the first one is sent", func() bool { return slices.Contains(names(), "report.csv") })
			if status, answer := (rcRequest{path: "vfs/flush"}).post(t, controlAddress(t, late.log)); status != http.StatusOK {
				t.Fatalf("%d %v", status, answer)
			}
			eventually(t, "the later one is sent", func() bool {
				return holds("report.csv", "of the later one")
			})
			isCopy := func(name string) bool { return strings.HasPrefix(name, "report.csv.conflict-later-") }
			all := names()
			at := slices.IndexFunc(all, isCopy)
			switch {
			case at >= 0 != kept, len(all) > 2:
				t.Errorf("there are %q", all)
			case kept && !holds(all[at], "of the first one"):
				t.Errorf("%s has another content", all[at])
			}
			if said := strings.Contains(late.log.String(), "it is kept beside"); said != kept {
				t.Errorf("the log says so: %v", said)
			}
		})
	}
}
