package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/readahead"
	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// far is a remote of another machine.
type far struct{ remote.Remote }

func (f far) Info() remote.Info {
	info := f.Remote.Info()
	info.Caps.CheapStat = false
	return info
}

// parse resolves flags as ferry serve ftp does.
func parse(t *testing.T, args ...string) *options {
	t.Helper()
	o := &options{}
	groups := flags.All(&o.Options)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.Add(fs, groups...)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := flags.Resolve(fs, nil, groups...); err != nil {
		t.Fatal(err)
	}
	o.Given = fs.Changed
	return o
}

func chainOf(t *testing.T, driver remote.Remote, level slog.Level, args ...string) remote.Remote {
	t.Helper()
	r, _ := parse(t, args...).decorate(driver, nil, slog.New(logging.NewText(io.Discard, level)))
	return r
}

func TestTheChainIsWhatTheFlagsAskFor(t *testing.T) {
	for _, c := range []struct {
		driver remote.Remote
		level  slog.Level
		args   string
		want   string
	}{
		{memory.New(), logging.Notice, "", "count memory"},
		{memory.New(), slog.LevelInfo, "", "logged count memory"},
		{memory.New(), slog.LevelDebug, "--low-level-retries=3 --bwlimit=1M --tpslimit=5", "logged retry count limit memory"},
		{memory.New(), logging.Notice, "--bwlimit=off --tpslimit=0", "count memory"},
		{memory.New(), logging.Notice, "--bwlimit=08:00,1M", "count limit memory"},
		{memory.New(), logging.Notice, "--tpslimit=0.5", "count limit memory"},
		{memory.New(), logging.Notice, "--max-connections=2", "count limit memory"},
		{far{memory.New()}, logging.Notice, "", "logged retry count main"},
		{far{memory.New()}, slog.LevelDebug, "--low-level-retries=0 --bwlimit=1M:off", "logged retry count limit main"},
	} {
		var names []string
		for r := chainOf(t, c.driver, c.level, strings.Fields(c.args)...); r != nil; {
			pkg, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", r), "*"), ".")
			names = append(names, pkg)
			w, ok := r.(interface{ Unwrap() remote.Remote })
			if !ok {
				break
			}
			r = w.Unwrap()
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%q gives %s, want %s", c.args, got, c.want)
		}
	}
}

// What is made of others, on the disk of this machine, has names that it cannot show and blocks
// that it cannot read: the log says so without a flag, or a wrong password looks like an empty
// directory.
func TestWhatIsMadeOfALocalDirectoryWarns(t *testing.T) {
	below, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer below.Close()
	if _, err := below.Put(t.Context(), "not-encrypted", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	encrypted, err := crypt.New(below, crypt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r, _ := parse(t).decorate(encrypted, nil, slog.New(logging.NewText(&out, logging.Notice)))
	for e, err := range r.List(t.Context(), ".") {
		t.Errorf("%v is listed, %v", e, err)
	}
	if log := out.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "not-encrypted") || !strings.Contains(log, "WARN") {
		t.Errorf("the log is %q", log)
	}
}

func TestDefaultsOfTheTree(t *testing.T) {
	if o := parse(t); o.checksums() != readahead.ChecksumsCheap || o.chunks() != nil {
		t.Errorf("checksums %v, chunks %v", o.checksums(), o.chunks())
	}
}

func TestLowLevelRetriesAreAttempts(t *testing.T) {
	for arg, want := range map[string]int{"--low-level-retries=3": 3, "--low-level-retries=0": 1} {
		faults := faulty.New(far{memory.New()})
		faults.Inject(faulty.Fault{Op: faulty.Stat, Times: -1})
		if _, err := chainOf(t, faults, logging.Notice, arg).Stat(t.Context(), "."); err == nil {
			t.Error("Stat does not fail")
		}
		if got := faults.Calls(faulty.Stat); got != want {
			t.Errorf("%s: %d calls", arg, got)
		}
	}
}

func TestAPlainLocalDirectoryKeepsItsFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/f", []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := chainOf(t, l, slog.LevelDebug)
	defer r.Close()
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("what is read is a %T", f)
	}
	stager, ok := remote.AsStager(r)
	if !ok {
		t.Fatal("it cannot stage")
	}
	s, err := stager.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.(io.ReaderFrom); !ok {
		t.Errorf("what is written to is a %T", s)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}

func TestServeWithinABandwidth(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "-v", "--bwlimit", "100k:off")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	begun := time.Now()
	data := c.upload("f")
	if _, err := data.Write(make([]byte, 50<<10)); err != nil {
		t.Fatal(err)
	}
	data.Close()
	c.want(226)
	if took := time.Since(begun); took < 450*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	r.stop()
	r.wait(t)
	if !strings.Contains(r.logged(), "the remote was used remote=memory:") || !strings.Contains(r.logged(), "up=51200") {
		t.Errorf("the log:\n%s", r.logged())
	}
}

func TestServeOverASingleConnection(t *testing.T) {
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--passive-port", "0", "--max-connections", "1")
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	for _, command := range []string{"STOR f", "APPE f", "STOR f"} {
		if command == "STOR f" {
			c.cmd(350, "REST 0")
		}
		data := c.passive()
		c.cmd(150, command)
		if _, err := io.WriteString(data, "content"); err != nil {
			t.Fatal(err)
		}
		data.Close()
		c.want(226)
	}
	c.cmd(213, "SIZE f")
	if got := c.list(""); got != "f\r\n" {
		t.Errorf("the listing is %q", got)
	}
	data := c.passive()
	c.cmd(150, "RETR f")
	if got, err := io.ReadAll(data); string(got) != "content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c.want(226)
	c.cmd(350, "RNFR f")
	c.cmd(250, "RNTO g")
	c.cmd(250, "DELE g")
}
