package test

import (
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts may say besides the commands of testscript.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"serve":      cmdServe,
	"ferry":      cmdFerry,
	"quit":       cmdQuit,
	"make-tree":  cmdMakeTree,
	"make-file":  cmdMakeFile,
	"head":       cmdHead,
	"tree-equal": cmdTreeEqual,
	"env-equal":  cmdEnvEqual,
}

// running is the key under which a script's environment holds its ferry.
type running struct{}

// A runner is what a script has running.
type runner struct {
	tls    string   // the version of TLS that clients shall use
	remote string   // what is served
	env    []string // describes it
	p      *process // the last one that serve started
}

// serve [flags...] starts ferry on what the script is to be run over, mostly the directory srv, for
// user bob, password builder. In the TLS run it demands TLS. Afterwards $ADDR is 127.0.0.1:$PORT.
// With further listeners $LAST_ADDR and $LAST_PORT are those of the last one, which is the one of
// implicit TLS where there is one.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	mustNot(ts, neg, "serve")
	r := ts.Value(running{}).(*runner)
	listeners := 1
	all := []string{"serve", "ftp", r.remote, "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder"}
	if r.tls != "" {
		all = append(all, "--cert", "cert.pem", "--key", "key.pem", "--require-tls", "-v")
	}
	for _, arg := range args {
		if strings.HasPrefix(arg, "--addr") || strings.HasPrefix(arg, "--implicit-tls-addr") {
			listeners++
		}
	}
	r.p = startFor(ts, append(all, args...))
	addrs, err := r.p.addresses(listeners)
	ts.Check(err)
	ts.Setenv("ADDR", addrs[0])
	ts.Setenv("PORT", port(ts, addrs[0]))
	ts.Setenv("LAST_ADDR", addrs[len(addrs)-1])
	ts.Setenv("LAST_PORT", port(ts, addrs[len(addrs)-1]))
}

// ferry args... runs another ferry until it ends; what it prints is its output. "! ferry" wants an
// exit status other than 0, which is in $STATUS afterwards.
func cmdFerry(ts *testscript.TestScript, neg bool, args []string) {
	p := startFor(ts, args)
	code, err := p.wait()
	ts.Check(err)
	ts.Setenv("STATUS", strconv.Itoa(code))
	_, err = ts.Stdout().Write([]byte(p.log.String()))
	ts.Check(err)
	if neg == (code == 0) {
		ts.Fatalf("exit status %d:\n%s", code, p.log)
	}
}

// startFor runs ferry in the directory of the script, with those variables of its environment that
// are made for ferry.
func startFor(ts *testscript.TestScript, args []string) *process {
	var env []string
	for _, name := range []string{"FERRY_USER", "FERRY_PASS", "FERRY_READ_ONLY", "RCLONE_USER", "RCLONE_READ_ONLY"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	p, err := start(ts.MkAbs("."), append(env, ts.Value(running{}).(*runner).env...), args...)
	ts.Check(err)
	ts.Defer(func() {
		p.kill()
		if strings.Contains(p.log.String(), "DATA RACE") {
			ts.Fatalf("data race in ferry:\n%s", p.log)
		}
	})
	return p
}

// quit ends ferry with SIGTERM and wants exit status 0, and every login in the version of TLS that
// clients shall use.
func cmdQuit(ts *testscript.TestScript, neg bool, args []string) {
	mustNot(ts, neg, "quit")
	code, err := ts.Value(running{}).(*runner).p.stop()
	ts.Check(err)
	if code != 0 {
		ts.Fatalf("exit status %d", code)
	}
	if r := ts.Value(running{}).(*runner); r.tls != "" {
		logins := regexp.MustCompile(`logged in.*tls_version=(\S+)`).FindAllStringSubmatch(r.p.log.String(), -1)
		if len(logins) == 0 {
			ts.Fatalf("nobody has logged in")
		}
		for _, login := range logins {
			if login[1] != r.tls {
				ts.Fatalf("a client used TLS %s instead of %s", login[1], r.tls)
			}
		}
	}
}

// make-tree plain|odd dir makes a tree of files.
func cmdMakeTree(ts *testscript.TestScript, neg bool, args []string) {
	mustNot(ts, neg, "make-tree")
	tr, ok := map[string]tree{"plain": plainTree, "odd": oddTree}[args[0]]
	if !ok || len(args) != 2 {
		ts.Fatalf("usage: make-tree plain|odd dir")
	}
	ts.Check(os.MkdirAll(ts.MkAbs(args[1]), 0o777))
	ts.Check(tr.write(ts.MkAbs(args[1])))
}

// make-file path size makes a file of bytes that depend on its path.
func cmdMakeFile(ts *testscript.TestScript, neg bool, args []string) {
	mustNot(ts, neg, "make-file")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(writeContent(ts.MkAbs(args[0]), n, args[0]))
}

// head size from to copies the first bytes of a file.
func cmdHead(ts *testscript.TestScript, neg bool, args []string) {
	mustNot(ts, neg, "head")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	from, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	defer from.Close()
	ts.Check(writeFile(ts.MkAbs(args[2]), io.LimitReader(from, int64(n))))
}

// tree-equal a b compares two files or trees byte for byte.
func cmdTreeEqual(ts *testscript.TestScript, neg bool, args []string) {
	err := sameTree(ts.MkAbs(args[0]), ts.MkAbs(args[1]))
	if neg && err == nil {
		ts.Fatalf("%s and %s are equal", args[0], args[1])
	}
	if !neg {
		ts.Check(err)
	}
}

// env-equal name value compares a variable of the script.
func cmdEnvEqual(ts *testscript.TestScript, neg bool, args []string) {
	if got := ts.Getenv(args[0]); (got == args[1]) == neg {
		ts.Fatalf("$%s is %q", args[0], got)
	}
}

func mustNot(ts *testscript.TestScript, neg bool, name string) {
	if neg {
		ts.Fatalf("%s knows no !", name)
	}
}

func port(ts *testscript.TestScript, addr string) string {
	_, port, err := net.SplitHostPort(addr)
	ts.Check(err)
	return port
}
