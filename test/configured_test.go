package test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// configured is a remote of each type, by name. Each has a file called mark.
type configured map[string]*remoteAt

// A remoteAt is a remote of a configuration, and where in it a file called mark is.
type remoteAt struct {
	options map[string]string
	path    string
}

// startConfigured starts a server for each type that needs one. Where one of them cannot be had,
// the test is skipped.
func startConfigured(t *testing.T) configured {
	t.Helper()
	all := configured{}
	for name, start := range map[string]func(t *testing.T) *site{
		"here": startLocal, "nas": startSSH, "old": startFerry, "minio": startGateway, "google": startFakeGCS,
		"azure": startAzurite, "cloud": startApache, "web": startIndex, "nick": startAlias, "both": startCombine,
	} {
		s := start(t)
		r := &remoteAt{s.options(s.addr), s.fresh(t)}
		all[name] = r
		if name == "web" {
			if err := os.WriteFile(filepath.Join(s.files, r.path, "mark"), []byte(name), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		proc, addr := serveAt(t, "there:"+r.path, s.environment("there", s.addr))
		login(t, "", addr).upload("STOR mark", []byte(name))
		proc.kill()
	}
	all["mem"] = &remoteAt{options: map[string]string{"type": "memory"}}
	// A tree that has all of them, so that one ferry can show them.
	var upstreams []string
	for name, r := range all {
		upstreams = append(upstreams, fmt.Sprintf(`"%s=%s:%s"`, name, name, r.path))
	}
	all["every"] = &remoteAt{options: map[string]string{"type": "combine", "upstreams": strings.Join(upstreams, " ")}}
	return all
}

// file is the configuration in the form in which rclone writes it.
func (c configured) file() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "[%s]\n", name)
		for _, option := range slices.Sorted(maps.Keys(c[name].options)) {
			fmt.Fprintf(&b, "%s = %s\n", option, c[name].options[option])
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

// serves checks that ferry, told what there is by env, serves each remote under its own name.
func (c configured) serves(t *testing.T, env []string) {
	t.Helper()
	for name, r := range c {
		if name != "every" {
			c.shows(t, name, name+":"+r.path, env)
		}
	}
	c.servesEvery(t, env)
}

// servesEvery does so with one ferry that has all of them in one tree.
func (c configured) servesEvery(t *testing.T, env []string) {
	t.Helper()
	proc, addr := serveAt(t, "every:", env)
	client := login(t, "", addr)
	client.upload("STOR mem/mark", []byte("mem"))
	for name := range c {
		if name != "every" {
			client.do("CWD /"+name, 250)
			client.showsMark(name)
		}
	}
	proc.quiet(t)
}

// shows checks that ferry serves a remote, which is called name and described by what and env.
func (c configured) shows(t *testing.T, name, what string, env []string) {
	t.Helper()
	proc, addr := serveAt(t, what, env)
	client := login(t, "", addr)
	if name == "mem" {
		client.upload("STOR mark", []byte(name))
	}
	client.showsMark(name)
	proc.quiet(t)
}

// showsMark checks that the working directory is that of the remote called name.
func (c *ftpClient) showsMark(name string) {
	c.t.Helper()
	if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"mark"}) {
		c.t.Errorf("%s is listed as %q", name, got)
	}
	if got := c.fetch("RETR mark"); string(got) != name {
		c.t.Errorf("%s has the file of %q", name, got)
	}
}

// quiet ends ferry, which had nothing to complain of but that it sees the keys of SFTP servers for
// the first time.
func (p *process) quiet(t *testing.T) {
	t.Helper()
	p.kill()
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, " WARN") && !strings.Contains(line, "the key of a host is not known") || strings.Contains(line, " ERROR") {
			t.Errorf("ferry complains:\n%s", p.log)
		}
	}
}

// TestConfigurations serves a remote of each type from a file, plain and encrypted, from the
// environment alone, and from connection strings alone.
func TestConfigurations(t *testing.T) {
	all := startConfigured(t)
	plain := filepath.Join(t.TempDir(), "rclone.conf")
	if err := os.WriteFile(plain, []byte(all.file()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("plain file", func(t *testing.T) {
		all.serves(t, []string{"RCLONE_CONFIG=" + plain})
		if now, err := os.ReadFile(plain); err != nil || string(now) != all.file() {
			t.Errorf("the file is another now, %v", err)
		}
	})
	t.Run("encrypted file", func(t *testing.T) {
		secret := filepath.Join(t.TempDir(), "rclone.conf")
		if err := os.WriteFile(secret, []byte(all.file()), 0o600); err != nil {
			t.Fatal(err)
		}
		file := "RCLONE_CONFIG=" + secret
		ferry(t, []string{file}, "config", "encryption", "set", "--password-command=echo open sesame")
		if now, err := os.ReadFile(secret); err != nil || strings.Contains(string(now), "type") {
			t.Errorf("the file is not encrypted, %v", err)
		}
		all.serves(t, []string{file, "RCLONE_CONFIG_PASS=open sesame"})
		all.servesEvery(t, []string{file, "RCLONE_PASSWORD_COMMAND=echo open sesame"})
	})
	t.Run("environment", func(t *testing.T) { all.serves(t, all.environment()) })
	t.Run("connection strings", func(t *testing.T) {
		for name, r := range all {
			if name != "every" {
				all.shows(t, name, r.connection(), []string{noFile})
			}
		}
	})
	t.Run("a file of rclone", func(t *testing.T) { all.servesOfRclone(t) })
}

// environment is the configuration as variables.
func (c configured) environment() []string {
	var env []string
	for name, r := range c {
		s := &site{options: func(string) map[string]string { return r.options }}
		env = append(env, s.environment(name, "")...)
	}
	return env
}

// connection is the remote with everything that it needs.
func (r *remoteAt) connection() string {
	var b strings.Builder
	b.WriteString(":" + strings.Replace(r.options["type"], "google cloud storage", "gcs", 1))
	for _, option := range slices.Sorted(maps.Keys(r.options)) {
		if option != "type" {
			fmt.Fprintf(&b, `,%s="%s"`, option, strings.ReplaceAll(r.options[option], `"`, `""`))
		}
	}
	return b.String() + ":" + r.path
}

// servesOfRclone lets rclone write the file, and encrypt it.
func (c configured) servesOfRclone(t *testing.T) {
	program := rclone(t)
	path := filepath.Join(t.TempDir(), "rclone.conf")
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "RCLONE_CONFIG=" + path}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("rclone %q: %v: %s", args, err, out)
		}
	}
	for name, r := range c {
		args := []string{"config", "create", name, r.options["type"], "--non-interactive", "--no-obscure"}
		for option, value := range r.options {
			if option != "type" {
				args = append(args, option+"="+value)
			}
		}
		run(args...)
	}
	c.servesEvery(t, []string{"RCLONE_CONFIG=" + path})
	run("config", "encryption", "set", "--password-command=echo open sesame")
	c.servesEvery(t, []string{"RCLONE_CONFIG=" + path, "RCLONE_CONFIG_PASS=open sesame"})
}
