package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// hashOf is a hash of the password of a user, which is the name doubled.
func hashOf(t *testing.T, user string) string {
	t.Helper()
	cmd := exec.Command(ferryBinary, "users", "hash", "--algo", "bcrypt")
	cmd.Stdin = strings.NewReader(user + user + "\n")
	hash, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(hash))
}

func (o *office) write(name, text string) string {
	o.t.Helper()
	if err := os.WriteFile(o.file(name), []byte(text), 0o700); err != nil {
		o.t.Fatal(err)
	}
	return o.file(name)
}

func (o *office) mkdir(names ...string) {
	o.t.Helper()
	for _, name := range names {
		if err := os.MkdirAll(o.file(name), 0o777); err != nil {
			o.t.Fatal(err)
		}
	}
}

// TestOtherSourcesOfUsers logs in users of everything that can know them.
func TestOtherSourcesOfUsers(t *testing.T) {
	t.Parallel()
	o := &office{t: t, dir: t.TempDir()}
	o.mkdir("ann", "bob")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]string
		if json.NewDecoder(r.Body).Decode(&asked) != nil || asked["pass"] != asked["user"]+asked["user"] {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"type": "local", "_root": o.file(asked["user"])})
	}))
	t.Cleanup(service.Close)
	o.write("whose.sh", strings.ReplaceAll(blockOfManual(t, "Users that others know", "shell"), "/srv", o.dir))
	passwd := fmt.Sprintf("ann:%s:1000:1000::%s:/bin/false\nbob:%s:1000:1000::%s:/bin/false\n",
		hashOf(t, "ann"), o.file("ann"), hashOf(t, "bob"), o.file("bob"))
	o.write("htpasswd", "ann:"+hashOf(t, "ann")+"\nbob:"+hashOf(t, "bob")+"\n")
	o.write("ftpd.passwd", passwd)
	here := strings.NewReplacer("/srv", o.dir, "htpasswd htpasswd", "htpasswd "+o.file("htpasswd"), "ftpd.passwd", o.file("ftpd.passwd"),
		"./whose.sh", o.file("whose.sh"), "http://localhost:8080/login", service.URL, ":2121", "127.0.0.1:0")
	for _, name := range []string{"htpasswd", "passwd", "auth-proxy", "auth-url"} {
		line := commandsOfManual(t, "Users that others know", "--"+name+" ")[0]
		args := strings.Fields(here.Replace(line))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "auth-proxy" {
				if _, err := exec.LookPath("sh"); err != nil {
					t.Skip("there is no shell")
				}
			}
			mine := &office{t: t, dir: o.dir}
			args = append(args, "--cache-dir", t.TempDir(), "--config", "notfound")
			mine.ferry, mine.addr = serveBy(t, ferryBinary, args...)
			for _, user := range []string{"ann", "bob"} {
				mine.login(user).upload("STOR "+name, []byte("of "+user))
				mine.holds(user+"/"+name, "of "+user)
				mine.refused(user, "wrong")
			}
			if log := mine.ferry.log.String(); strings.Contains(log, "annann") || strings.Contains(log, "$2") {
				t.Error("the log has a password or a hash")
			}
		})
	}
}
