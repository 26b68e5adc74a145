package test

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// entry is the table of a user in a users file. The password is the name, doubled. Its hash costs
// nothing, as tests have many users.
func entry(user, more string) string {
	sum := sha1.Sum([]byte(user + user))
	return fmt.Sprintf("[users.%s]\npassword = '{SHA}%s'\n%s\n", user, base64.StdEncoding.EncodeToString(sum[:]), more)
}

// replaceUsers makes text the users file, as a whole.
func (o *office) replaceUsers(text string) {
	o.t.Helper()
	write(o.t, o.file("users.toml.new"), text)
	if err := os.Chmod(o.file("users.toml.new"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	if err := os.Rename(o.file("users.toml.new"), o.file("users.toml")); err != nil {
		o.t.Fatal(err)
	}
}

// TestThirtyUsersOnThirtyPrefixesOfABucket uses the example of the manual, but half of them are not
// cached on disk. Each of them sends and fetches by two clients at a time.
func TestThirtyUsersOnThirtyPrefixesOfABucket(t *testing.T) {
	t.Parallel()
	needPrograms(t, "curl", "lftp")
	const users = 30
	s := startGateway(t)
	o := newOffice(t)
	var text strings.Builder
	text.WriteString(ofManual(t, "With S3"))
	for i := range users {
		fmt.Fprint(&text, entry(fmt.Sprintf("u%02d", i), fmt.Sprintf("cache_mode = %q", []string{"off", "writes"}[i%2])))
	}
	o.replaceUsers(text.String())
	o.env = s.environment("s3", s.addr)
	o.serve("--vfs-write-back", "0s")
	var all sync.WaitGroup
	for i := range users {
		user := fmt.Sprintf("u%02d", i)
		dir := o.file(user)
		writeFiles(t, dir, user)
		all.Go(func() { o.curl(user, dir) })
		all.Go(func() { o.lftp(user, dir) })
	}
	all.Wait()
	for i := range users {
		user := fmt.Sprintf("u%02d", i)
		for _, client := range []string{"curl", "lftp"} {
			sent, fetched, stored := summary(t, o.file(user+"/"+client)), summary(t, o.file(user+"/got-"+client)), ""
			if fetched != sent {
				t.Errorf("%s sent by %s\n%sand fetched\n%s", user, client, sent, fetched)
			}
			for end := time.Now().Add(patience); stored != sent && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				stored = summary(t, filepath.Join(s.data, "bucket", user, client))
			}
			if stored != sent {
				t.Errorf("%s sent by %s\n%sand the bucket has\n%s", user, client, sent, stored)
			}
		}
	}
	if entries, err := os.ReadDir(filepath.Join(s.data, "bucket")); err != nil || len(entries) < users || len(entries) > users+1 {
		t.Errorf("the bucket has %v, %v", entries, err)
	}
}

// writeFiles makes what a user sends: names that all of them use, contents of their own.
func writeFiles(t *testing.T, dir, user string) {
	t.Helper()
	for _, client := range []string{"curl", "lftp"} {
		for i, size := range []int{0, 100, 70_000} {
			if err := os.MkdirAll(filepath.Join(dir, client, "sub"), 0o777); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, client, []string{"empty", "sub/small", "large"}[i])
			write(t, name, string(content(size, user+client)))
		}
	}
}

// curl has a user send a directory, and fetch it.
func (o *office) curl(user, dir string) {
	url := "ftp://" + o.addr + "/curl/"
	o.client(dir, "curl", "-sSf", "-u", user+":"+user+user, "--ftp-create-dirs",
		"-T", "curl/empty", url+"empty", "-T", "curl/sub/small", url+"sub/small", "-T", "curl/large", url+"large")
	o.client(dir, "curl", "-sSf", "-u", user+":"+user+user, "--create-dirs", "-o", "got-curl/empty", url+"empty",
		"-o", "got-curl/sub/small", url+"sub/small", "-o", "got-curl/large", url+"large")
}

// lftp is curl for lftp.
func (o *office) lftp(user, dir string) {
	o.client(dir, "lftp", "--norc", "-c", fmt.Sprintf("set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 60; set ftp:ssl-allow no; "+
		"open -u %s,%s%s ftp://%s; mirror -R lftp lftp; mirror lftp got-lftp", user, user, user, o.addr))
}

// needPrograms skips a test that lacks one of the programs.
func needPrograms(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
}

// client runs a program, which must succeed. It may be called by any goroutine.
func (o *office) client(dir, program string, args ...string) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}

// summary describes the files below dir: a line for each, with its name and a sum of its content.
func summary(t *testing.T, dir string) string {
	t.Helper()
	var lines strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreAbsence(err)
		}
		body, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&lines, "%s %d bytes %x\n", name, len(body), sha1.Sum(body))
		return ignoreAbsence(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines.String()
}

// ignoreAbsence returns err unless it is of a file that is not there any more, or not yet.
func ignoreAbsence(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}
