package test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each page of doc/manual is a test. Its fenced blocks are done in their order:
//
//	toml, ini   is written to the file whose path stands, in backquotes and with a colon, above it
//	sh          is run by a shell. A line "ferry serve ftp ..." starts a server, in place of the one
//	            before; what follows waits until it listens
//	text        each line of it is in what the block of sh before has printed; … stands for anything
//
// Other blocks are for people only. In all of them names of the manual are those of the test: the
// server ferry.example.org, a bucket at s3.example.org, and directories below /srv, /etc and /var.
func TestThePagesOfTheManual(t *testing.T) {
	pages, err := filepath.Glob("../doc/manual/*.md")
	if err != nil || len(pages) < 8 {
		t.Fatalf("pages %v, %v", pages, err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing: the pages use it")
	}
	for _, path := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			newPage(t, string(text)).do()
		})
	}
}

// A page is one that is tried.
type page struct {
	t       *testing.T
	text    string
	dir     string // in place of the root directory
	bucket  *site  // nil before it is needed
	ferry   *process
	addrs   []string // of ferry: plain ones first
	logFile string   // that the server was to write; "" = none
	control string   // address of its remote control; "" = there is none
	metrics string   // that of its metrics; "" = there is none
	output  string   // of the last block of sh
}

func newPage(t *testing.T, text string) *page {
	p := &page{t: t, text: text, dir: t.TempDir()}
	for _, dir := range []string{"bin", "srv", "etc/ferry", "var/lib/ferry", "var/log/ferry", "work"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(ferryBinary, p.file("bin/ferry")); err != nil {
		t.Fatal(err)
	}
	// What changes the machine does nothing here.
	for _, name := range []string{"systemctl", "apt", "setcap", "kubectl", "sudo"} {
		script := "#!/bin/sh\nexit 0\n"
		if name == "sudo" {
			script = "#!/bin/sh\nexec \"$@\"\n"
		}
		if err := os.WriteFile(p.file("bin/"+name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if p.ferry != nil && t.Failed() {
			t.Logf("log of ferry:\n%s", p.ferry.log)
		}
		p.endFerry()
	})
	return p
}

func (p *page) file(name string) string { return filepath.Join(p.dir, name) }

var (
	fence    = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	pathOf   = regexp.MustCompile("`([^`]+)`:\n+$")
	serveFTP = regexp.MustCompile(`(?m)^ferry serve ftp (.*)$`)
	logFile  = regexp.MustCompile(` --log-file (\S+)`)
	address  = regexp.MustCompile(`--(addr|rc-addr|metrics-addr)[ =]\S*:(\d+)`)
)

// do does what the page says.
func (p *page) do() {
	p.t.Helper()
	blocks := fence.FindAllStringSubmatchIndex(p.text, -1)
	for _, at := range blocks {
		language, body, before := p.text[at[2]:at[3]], p.text[at[4]:at[5]], p.text[:at[0]]
		switch language {
		case "toml", "ini":
			if m := pathOf.FindStringSubmatch(before); m != nil {
				p.write(m[1], body)
			}
		case "sh":
			p.shell(strings.ReplaceAll(body, "\\\n", " "))
		case "text":
			p.expect(body)
		}
		if p.t.Failed() {
			p.t.Fatalf("the block was\n%s", body)
		}
	}
}

func (p *page) write(name, body string) {
	p.t.Helper()
	path := p.local(name)
	if !filepath.IsAbs(path) {
		path = p.file("work/" + path)
	}
	if err := os.WriteFile(path, []byte(p.local(body)), 0o600); err != nil {
		p.t.Error(err)
	}
}

// shell runs a block: what is before a server, the server, what is behind it.
func (p *page) shell(body string) {
	p.t.Helper()
	p.output = ""
	for body != "" && !p.t.Failed() {
		at := serveFTP.FindStringSubmatchIndex(body)
		if at == nil {
			p.run(body)
			return
		}
		p.run(body[:at[0]])
		p.serve(body[at[2]:at[3]])
		body = strings.TrimPrefix(body[at[1]:], "\n")
	}
}

func (p *page) run(script string) {
	p.t.Helper()
	if strings.TrimSpace(script) == "" {
		return
	}
	if p.logFile != "" {
		if err := os.WriteFile(p.file("work/"+p.logFile), []byte(p.ferry.log.String()), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", "-e", "-c", p.local(script))
	cmd.Dir, cmd.Env = p.file("work"), p.env()
	out, err := cmd.CombinedOutput()
	p.output += string(out)
	if err != nil {
		p.t.Errorf("%v\n%s", err, out)
	}
}

// serve starts a server with the flags of a command line, on ports that are free.
func (p *page) serve(flags string) {
	p.t.Helper()
	p.endFerry()
	listeners := max(1, strings.Count(" "+flags, " --addr"))
	flags = address.ReplaceAllString(p.local(flags), "--$1 127.0.0.1:0")
	if !strings.Contains(flags, "--addr") {
		flags += " --addr 127.0.0.1:0"
	}
	if strings.Contains(flags+" ", "--rc ") && !strings.Contains(flags, "--rc-addr") {
		flags += " --rc-addr 127.0.0.1:0"
	}
	if m := logFile.FindStringSubmatch(flags); m != nil { // the test reads the log too
		p.logFile, flags = m[1], strings.Replace(flags, m[0], "", 1)
	}
	script := p.file("work/.serve")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec ferry serve ftp "+flags+"\n"), 0o755); err != nil {
		p.t.Fatal(err)
	}
	var err error
	if p.ferry, err = startProgram(p.file("work"), p.env(), "/bin/sh", script); err != nil {
		p.t.Fatal(err)
	}
	if p.addrs, err = p.ferry.addresses(listeners); err != nil {
		p.t.Fatalf("%v\n%s", err, p.ferry.log)
	}
	p.control, p.metrics = "", ""
	if strings.Contains(flags, "--rc-addr") {
		p.control = p.says(`remote control on http://(127\.0\.0\.1:\d+)`)
	}
	if strings.Contains(flags, "--metrics-addr") {
		p.metrics = p.says(`metrics on http://(127\.0\.0\.1:\d+)`)
	}
}

// says waits until the log of ferry has what pattern is for, and returns its group.
func (p *page) says(pattern string) string {
	p.t.Helper()
	found := regexp.MustCompile(pattern)
	text, err := p.ferry.log.waitFor(func(text string) bool { return found.MatchString(text) })
	if err != nil {
		p.t.Fatal(err)
	}
	return found.FindStringSubmatch(text)[1]
}

func (p *page) endFerry() {
	if p.ferry != nil {
		p.ferry.kill()
	}
	p.ferry, p.addrs, p.logFile = nil, nil, ""
}

func (p *page) env() []string {
	env := []string{"PATH=" + p.file("bin") + ":" + os.Getenv("PATH"), "HOME=" + p.file("work"), "STATE_DIRECTORY=" + p.file("var/lib/ferry"), "GORACE=atexit_sleep_ms=0"}
	if p.control != "" {
		env = append(env, "FERRY_RC_ADDR="+p.control)
	}
	return env
}

// local returns text with the names of the test in place of those of the manual.
func (p *page) local(text string) string {
	p.t.Helper()
	if strings.Contains(text, "s3.example.org") && p.bucket == nil {
		p.bucket = startGateway(p.t)
	}
	for _, dir := range []string{"/srv/", "/etc/ferry", "/var/log/ferry", "/var/lib/ferry"} {
		text = regexp.MustCompile(`(^|[\s"'=:])`+dir).ReplaceAllString(text, "${1}"+p.dir+dir)
	}
	text = strings.NewReplacer("localhost:5572", cmp.Or(p.control, "localhost:5572"), "localhost:9721", cmp.Or(p.metrics, "localhost:9721")).Replace(text)
	if len(p.addrs) > 0 {
		for scheme, addr := range map[string]string{"ftp": p.addrs[0], "ftps": p.addrs[len(p.addrs)-1]} {
			text = regexp.MustCompile(scheme+`://ferry\.example\.org(:\d+)?`).ReplaceAllString(text, scheme+"://"+addr)
		}
	}
	text = strings.ReplaceAll(text, "ferry.example.org", "127.0.0.1")
	if p.bucket != nil {
		text = strings.NewReplacer("http://s3.example.org:9000", "http://"+p.bucket.addr, "https://s3.example.org", "http://"+p.bucket.addr).Replace(text)
	}
	return text
}

// expect looks for lines in what was printed.
func (p *page) expect(lines string) {
	p.t.Helper()
	for line := range strings.Lines(lines) {
		parts := strings.Split(strings.TrimSpace(p.local(line)), "…")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(strings.TrimSpace(part))
		}
		if pattern := strings.Join(parts, ".*"); !regexp.MustCompile(pattern).MatchString(p.output) {
			p.t.Errorf("this is not printed: %s\nbut:\n%s", strings.TrimSpace(line), p.output)
		}
	}
	if p.output == "" {
		p.t.Error(fmt.Errorf("nothing was printed"))
	}
}
