package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/oauthserver"
)

// A sharedLogin is a configuration file whose remote has a login at a provider that takes each
// refresh token once, and grants tokens that end soon: every program refreshes at its start.
type sharedLogin struct {
	t        *testing.T
	provider *oauthserver.Server
	path     string
	env      []string
}

func newSharedLogin(t *testing.T, password string) *sharedLogin {
	t.Helper()
	l := &sharedLogin{t: t, provider: oauthserver.Start(t), path: filepath.Join(t.TempDir(), "rclone.conf")}
	l.provider.Life = time.Second
	l.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "RCLONE_CONFIG=" + l.path, "RCLONE_CONFIG_PASS=" + password}
	text := fmt.Sprintf("[other]\ntype = memory\n\n[g]\ntype = google cloud storage\nendpoint = %s/storage/v1/\ntoken = %s\n", l.provider.URL, l.provider.Token(-time.Hour))
	for key, value := range l.provider.Options() {
		text += key + " = " + value + "\n"
	}
	if err := os.WriteFile(l.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if password != "" {
		if out, err := l.run(ferryBinary, "config", "encryption", "set", "--password-command", "echo "+password); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return l
}

// run runs a program, whose output has no secret.
func (l *sharedLogin) run(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = l.env
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), oauthserver.Mark) || strings.Contains(string(out), oauthserver.ClientSecret) {
		l.t.Errorf("%s %v shows a secret: %s", filepath.Base(program), args, out)
	}
	return string(out), err
}

// alive wants a token in the file that the provider takes yet.
func (l *sharedLogin) alive() {
	l.t.Helper()
	cmd := exec.Command(ferryBinary, "config", "dump")
	cmd.Env = l.env
	out, err := cmd.Output()
	var all map[string]map[string]string
	var token struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err == nil {
		err = json.Unmarshal([]byte(all["g"]["token"]), &token)
	}
	if err != nil || !l.provider.Alive(token.RefreshToken) || all["other"]["type"] != "memory" {
		l.t.Errorf("the login has ended: %v", err)
	}
}

// Several ferries refresh the token of one file at the same time: all are served, and no refresh
// token is used twice.
func TestFerriesShareALogin(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "potato"} {
		l := newSharedLogin(t, password)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 3 {
					if out, err := l.run(ferryBinary, "check", "--read-only", "g:bucket"); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				}
			})
		}
		wg.Wait()
		if all, reused := l.provider.Asked(); all < 12 || reused > 0 {
			t.Errorf("%d tokens were asked for, %d with a token that was used", all, reused)
		}
		l.alive()
		if text, err := os.ReadFile(l.path); err != nil || strings.Contains(string(text), oauthserver.Mark) != (password == "") {
			t.Errorf("the file is %.20q, %v", text, err)
		}
	}
}

// rclone refreshes the same token, and takes no lock: it may be refused where both do it in the
// same moment. ferry is served all the same, and the file ends with a token that is good.
func TestFerryAndRcloneShareALogin(t *testing.T) {
	t.Parallel()
	rclone := servers.BuildProgram(t, "github.com/rclone/rclone", "v1.76.0")
	l := newSharedLogin(t, "")
	lsf := func() (string, error) {
		return l.run(rclone, "lsf", "g:bucket", "--gcs-endpoint", l.provider.URL, "--retries", "1", "--low-level-retries", "1")
	}
	if out, err := lsf(); err != nil {
		t.Fatalf("rclone alone: %v: %s", err, out)
	}
	l.alive()
	var wg sync.WaitGroup
	refused := 0
	wg.Go(func() {
		for range 6 {
			if _, err := lsf(); err != nil {
				refused++
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for range 4 {
				if out, err := l.run(ferryBinary, "check", "--read-only", "g:bucket"); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("rclone was refused %d times of 6", refused)
	l.alive()
	if out, err := lsf(); err != nil {
		t.Errorf("rclone afterwards: %v: %s", err, out)
	}
}
