package test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Other programs store objects under keys that are no paths. They are left out, with a word, or can
// be listed, read, replaced, renamed and removed.
func TestOddNames(t *testing.T) {
	s := startFakeGCS(t)
	bucket, _, _ := strings.Cut(s.root, "/")
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			root := strings.TrimPrefix(s.fresh(t), bucket+"/")
			for _, key := range []string{"2026/1//k", "a//b//c.txt", "only//1", "only/../2", "odd=x="} {
				u := "http://" + s.addr + "/upload/storage/v1/b/" + bucket + "/o?uploadType=media&name=" + url.QueryEscape(root+"/"+key)
				answer, err := http.Post(u, "text/plain", strings.NewReader(key))
				if err != nil {
					t.Fatal(err)
				}
				if answer.Body.Close(); answer.StatusCode != http.StatusOK {
					t.Fatal(answer.Status)
				}
			}
			env := append(s.environment("there", s.addr), "FERRY_VFS_CACHE_MODE="+mode, "FERRY_VFS_WRITE_BACK=0s")
			skipsOddNames(t, "there:"+bucket+"/"+root, env)
			encodesOddNames(t, "there:"+bucket+"/"+root, append(env, "FERRY_VFS_ODD_NAMES=encode"))
		})
	}
}

func skipsOddNames(t *testing.T, where string, env []string) {
	proc, addr := serveAt(t, where, env)
	c := login(t, "", addr)
	if got := c.fetch("NLST only"); len(got) > 0 {
		t.Errorf("listed: %q", got)
	}
	c.do("CWD only/odd==", 550)
	mention(t, c.do("RMD only", 550), "holds 2 objects whose names cannot be shown")
	proc.kill()
	if n := strings.Count(proc.log.String(), "a listing leaves entries out"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, proc.log)
	}
}

func encodesOddNames(t *testing.T, where string, env []string) {
	proc, addr := serveAt(t, where, env)
	c := login(t, "", addr)
	names := func(dir string, want ...string) {
		t.Helper()
		c.do("CWD "+dir, 250)
		got := lines(c.fetch("NLST"))
		c.do("CWD /", 250)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s is listed as %q, want %q", dir, got, want)
		}
	}
	holds := func(name, want string) {
		t.Helper()
		if got := string(c.fetch("RETR " + name)); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	names("/", "2026", "a", "odd=odd=x==", "only")
	names("/only", "odd=..=", "odd==")
	holds("2026/1/odd==/k", "2026/1//k")
	holds("odd=odd=x==", "odd=x=")
	c.upload("STOR a/odd==/b/odd==/c.txt", []byte("new"))
	holds("a/odd==/b/odd==/c.txt", "new")
	c.do("RNFR 2026/1/odd==/k", 350)
	c.do("RNTO 2026/1/odd=.=", 250)
	holds("2026/1/odd=.=", "2026/1//k")
	c.do("RNFR a/odd==", 350)
	c.do("RNTO a/plain", 250)
	holds("a/plain/b/odd==/c.txt", "new")
	for _, name := range []string{"odd=y=", "only/odd=="} {
		c.do("EPSV", 229)
		c.do("STOR "+name, 550, 553)
	}
	c.do("DELE only/odd==/1", 250)
	c.do("DELE only/odd=..=/2", 250)
	c.do("RMD only/odd==", 250)
	c.do("RMD only/odd=..=", 250)
	c.do("RMD only", 250)
	names("/", "2026", "a", "odd=odd=x==")
	proc.kill()
	if log := proc.log.String(); strings.Contains(log, "leaves entries out") {
		t.Errorf("logged:\n%s", log)
	}
}
