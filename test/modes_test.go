package test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// filesInCI is how many files the tree has unless FERRY_FILES says how many.
const filesInCI = 30

// TestTreeInEveryMode has lftp and curl put a tree on S3, change it and take it down again, in each
// cache mode, with ferry going on or killed after each step. It must be the same tree each time,
// and in the end on the S3 server. FERRY_FILES says of how many files the tree is, on each kind of
// server.
func TestTreeInEveryMode(t *testing.T) {
	t.Parallel() // it mostly waits
	needPrograms(t, "lftp", "curl")
	files, all, _ := extent("FERRY_FILES", filesInCI, "s3")
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := p.start(t)
			for _, mode := range allModes() {
				for _, killed := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, killed %v", mode, killed), func(t *testing.T) {
						t.Parallel() // they mostly wait
						newPatient(t, s, mode, killed).goThrough(files)
					})
				}
			}
		})
	}
}

// patient is a ferry that may be killed after each step.
type patient struct {
	*testing.T
	dir    string // where everything is
	env    []string
	args   []string
	killed bool
	proc   *process
	addr   string
}

func newPatient(t *testing.T, s *site, mode string, killed bool) *patient {
	p := &patient{
		T: t, dir: t.TempDir(), killed: killed, env: s.environment("there", s.addr),
		args: []string{"serve", "ftp", "there:" + s.fresh(t), "--addr", "127.0.0.1:0", "--user", "bob", "-v",
			"--vfs-cache-mode", mode, "--vfs-write-back", "1s", "--shutdown-flush", "1m"},
	}
	t.Cleanup(func() {
		p.proc.kill()
		if t.Failed() {
			t.Logf("log of ferry:\n%s", p.proc.log)
		}
	})
	return p
}

func (p *patient) goThrough(files int) {
	p.start()
	tree := bigTree(files)
	if err := tree.write(p.path("tree")); err != nil {
		p.Fatal(err)
	}
	p.lftp("mirror -R -P 4 tree up")
	p.mayDie()
	p.change(tree)
	p.mayDie()
	p.lftp("mirror -P 4 up down")
	p.same("down")
	p.mayDie()
	p.lftp("mirror -P 4 up again")
	p.same("again")

	if code, err := p.proc.stop(); code != 0 || err != nil {
		p.Errorf("ferry ended with %d, %v", code, err)
	}
	p.args[len(p.args)-5] = "off" // only what is on the server
	p.start()
	p.lftp("mirror -P 4 up there")
	p.same("there")
}

// bigTree is a tree of many small files in a few directories.
func bigTree(files int) tree {
	tr := tree{"large.bin": 7 << 20}
	for i := range files {
		tr[fmt.Sprintf("dir %d/sub/file-%d.dat", i%10, i)] = i * 37 % 20_000
	}
	return tr
}

func (p *patient) path(name string) string { return filepath.Join(p.dir, name) }

func (p *patient) start() {
	var err error
	if p.proc, err = start(p.path("."), p.env, p.args...); err != nil {
		p.Fatal(err)
	}
	addrs, err := p.proc.addresses(1)
	if err != nil {
		p.Fatal(err)
	}
	p.addr = addrs[0]
}

// mayDie kills ferry, and starts it again.
func (p *patient) mayDie() {
	if strings.Contains(p.proc.log.String(), "DATA RACE") {
		p.Errorf("data race in ferry:\n%s", p.proc.log)
	}
	if p.killed {
		p.proc.kill()
		p.start()
	}
}

// change changes, renames and deletes files of the tree, and does the same by curl.
func (p *patient) change(tr tree) {
	args := []string{"-sS", "--ftp-create-dirs", "-u", "bob:builder"}
	var quotes []string
	i := 0
	for name := range tr {
		local := p.path(filepath.Join("tree", filepath.FromSlash(name)))
		var err error
		switch i++; i % 8 {
		case 0:
			err = writeContent(local, tr[name]+5, "changed "+name)
			args = append(args, "-T", local, p.url("up/"+name))
		case 1:
			err = os.Rename(local, local+".new")
			quotes = append(quotes, "-Q", "RNFR up/"+name, "-Q", "RNTO up/"+name+".new")
		case 2:
			err = os.Remove(local)
			quotes = append(quotes, "-Q", "DELE up/"+name)
		case 3: // what many clients do: upload under another name, then rename over the old file
			err = writeContent(local, tr[name]/2, "replaced "+name)
			args = append(args, "-T", local, p.url("up/"+name+".part"))
			quotes = append(quotes, "-Q", "RNFR up/"+name+".part", "-Q", "RNTO up/"+name)
		}
		if err != nil {
			p.Fatal(err)
		}
	}
	p.run("curl", args...)
	p.run("curl", append(quotes, "-sS", "-u", "bob:builder", p.url(""), "-o", os.DevNull)...)
}

func (p *patient) url(name string) string {
	return (&url.URL{Scheme: "ftp", Host: p.addr, Path: "/" + name}).String()
}

func (p *patient) lftp(command string) {
	p.run("lftp", "-u", "bob,builder", "-e", "set net:max-retries 2; set cmd:fail-exit yes; "+command+"; quit", "ftp://"+p.addr)
}

func (p *patient) run(program string, args ...string) {
	p.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("%s: %v\n%s", program, err, out)
	}
}

func (p *patient) same(dir string) {
	p.Helper()
	if err := sameTree(p.path("tree"), p.path(dir)); err != nil {
		p.Errorf("%v", err)
	}
}
