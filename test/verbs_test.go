package test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A verbTest does with real clients what one verb of permissions is about.
type verbTest struct {
	verb string
	with string // a verb without which the clients get nowhere
	or   string // another verb by which a client reaches the same
	file string // letters of the perm facts of a file that stand for the verb
	dir  string // of its directory
	sub  string // of an empty directory in there
	// The commands of each client. Its directory DIR, with the address URL, holds "file" and the
	// empty directory "sub", the local one "new", and "long", which begins like "file".
	curl   []string
	lftp   string
	python string
	// done reports from what is in the directory afterwards whether it was done. nil: by what the
	// client has got, which is in got.
	done func(dir string) bool
	got  string
}

const (
	verbContent = "what was there before"
	verbNew     = "what the client sends, which is longer"
)

func holding(name, content string) func(dir string) bool {
	return func(dir string) bool {
		got, err := os.ReadFile(filepath.Join(dir, name))
		return err == nil && string(got) == content
	}
}

func with(name string) func(dir string) bool {
	return func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
}

func without(name string) func(dir string) bool {
	return func(dir string) bool { return !with(name)(dir) }
}

// old is a time that clients set.
var old = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

var verbTests = []verbTest{
	{
		verb: "list", dir: "l", got: "file",
		curl: []string{"URL/"}, lftp: "cls", python: "print(ftp.nlst())",
	}, {
		verb: "download", file: "r", got: verbContent,
		curl: []string{"URL/file"}, lftp: "get -e file -o got; !cat got", python: "ftp.retrlines('RETR file')",
	}, {
		verb: "upload", dir: "c", done: holding("other", verbNew),
		curl: []string{"-T", "new", "URL/other"}, lftp: "put new -o other",
		python: "ftp.storbinary('STOR other', open('new', 'rb'))",
	}, {
		verb: "overwrite", file: "w", done: holding("file", verbNew),
		curl: []string{"-T", "new", "URL/file"}, lftp: "put new -o file",
		python: "ftp.storbinary('STOR file', open('new', 'rb'))",
	}, {
		verb: "resume", or: "overwrite", file: "a", done: holding("file", verbContent+verbNew),
		curl: []string{"--append", "-T", "new", "URL/file"}, lftp: "put -c long -o file",
		python: "ftp.storbinary('APPE file', open('new', 'rb'))",
	}, {
		verb: "delete", file: "d", done: without("file"),
		curl: []string{"-Q", "DELE DIR/file", "-I", "URL/"}, lftp: "rm file", python: "ftp.delete('file')",
	}, {
		verb: "rename", with: "upload", file: "f", sub: "f", done: holding("other", verbContent),
		curl: []string{"-Q", "RNFR DIR/file", "-Q", "RNTO DIR/other", "-I", "URL/"}, lftp: "mv file other",
		python: "ftp.rename('file', 'other')",
	}, {
		verb: "mkdir", dir: "m", done: with("other"),
		curl: []string{"-Q", "MKD DIR/other", "-I", "URL/"}, lftp: "mkdir other", python: "ftp.mkd('other')",
	}, {
		verb: "rmdir", sub: "d", done: without("sub"),
		curl: []string{"-Q", "RMD DIR/sub", "-I", "URL/"}, lftp: "rmdir sub", python: "ftp.rmd('sub')",
	}, {
		verb: "mtime", done: func(dir string) bool {
			info, err := os.Stat(filepath.Join(dir, "file"))
			return err == nil && info.ModTime().Equal(old)
		},
		curl: []string{"-Q", "MFMT 20200102030405 DIR/file", "-I", "URL/"},
		lftp: "quote MFMT 20200102030405 file", python: "ftp.voidcmd('MFMT 20200102030405 file')",
	}, {
		verb: "chmod", done: func(dir string) bool {
			info, err := os.Stat(filepath.Join(dir, "file"))
			return err == nil && info.Mode().Perm() == 0o600
		},
		curl: []string{"-Q", "SITE CHMOD 600 DIR/file", "-I", "URL/"}, lftp: "chmod 600 file",
		python: "ftp.voidcmd('SITE CHMOD 600 file')",
	},
}

// allBut returns all verbs but that of but, and what stands in for it.
func allBut(but verbTest) string {
	var words []string
	for _, tt := range verbTests {
		if tt.verb != but.verb && tt.verb != but.or {
			words = append(words, tt.verb)
		}
	}
	return strings.Join(words, "', '")
}

var verbClients = []string{"curl", "lftp", "python"}

// TestEachVerbOfPermissionsWithRealClients has for each verb a user who may only that, and one
// who may do everything else.
func TestEachVerbOfPermissionsWithRealClients(t *testing.T) {
	t.Parallel()
	needPrograms(t, "curl", "lftp", python())
	o := newOffice(t)
	text := fmt.Sprintf("[defaults]\nremote = '%s/{user}'\n", o.file("srv"))
	for _, tt := range verbTests {
		only := strings.TrimSuffix(tt.verb+"', '"+tt.with, "', '")
		text += entry("may-"+tt.verb, `permissions."/" = ['`+only+`']`) + entry("not-"+tt.verb, `permissions."/" = ['`+allBut(tt)+`']`)
		for _, user := range []string{"may-", "not-"} {
			makeVerbFiles(t, o.file("srv/"+user+tt.verb))
		}
	}
	o.replaceUsers(text)
	write(t, o.file("new"), verbNew)
	write(t, o.file("long"), verbContent+verbNew)
	o.serve("--file-perms", "0644")
	python := o.startPython()
	for _, tt := range verbTests {
		for _, user := range []string{"may-" + tt.verb, "not-" + tt.verb} {
			t.Run(user, func(t *testing.T) {
				o.checkPerm(t, tt, user)
				for _, client := range verbClients {
					out, err := o.verbClient(tt, client, user, python)
					dir := o.file("srv/" + user + "/" + client)
					done := strings.Contains(out, tt.got)
					if tt.done != nil {
						done = tt.done(dir)
					}
					if may := strings.HasPrefix(user, "may-"); done != may || (err == nil) != may {
						t.Errorf("%s: done: %v, %v\n%s", client, done, err, out)
					} else if !may && (!holding("file", verbContent)(dir) || !with("sub")(dir)) {
						t.Errorf("%s was refused and changed something", client)
					}
				}
			})
		}
	}
}

func makeVerbFiles(t *testing.T, dir string) {
	t.Helper()
	for _, client := range verbClients {
		if err := os.MkdirAll(filepath.Join(dir, client, "sub"), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, client, "file"), verbContent)
	}
}

// verbClient has a client do what tt is about. It returns what the client printed.
func (o *office) verbClient(tt verbTest, client, user string, python func(line string) (string, error)) (string, error) {
	fill := strings.NewReplacer("DIR", client, "URL", "ftp://"+o.addr+"/"+client).Replace
	ctx, cancel := context.WithTimeout(o.t.Context(), patience)
	defer cancel()
	var cmd *exec.Cmd
	switch client {
	case "curl":
		args := []string{"-sSf", "-u", user + ":" + user + user}
		for _, arg := range tt.curl {
			args = append(args, fill(arg))
		}
		cmd = exec.CommandContext(ctx, "curl", args...)
	case "lftp":
		cmd = exec.CommandContext(ctx, "lftp", "--norc", "-c", "set cmd:fail-exit yes; set net:max-retries 1; set ftp:ssl-allow no; "+
			fmt.Sprintf("open -u %s,%s%s ftp://%s; cd lftp; %s", user, user, user, o.addr, fill(tt.lftp)))
	case "python":
		return python(user + " " + tt.python)
	}
	cmd.Dir = o.dir
	cmd.Env = append(os.Environ(), "HOME="+o.dir)
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "\n550 ") || strings.HasPrefix(string(out), "550 ") {
		err = errors.New("refused") // which "quote" of lftp does not tell
	}
	return string(out), err
}

// verbProgram reads a user and a statement a line, and prints what that printed and how it ended.
const verbProgram = `
import ftplib, sys
host, port = sys.argv[1].split(":")
for line in sys.stdin:
    user, statement = line.strip().split(" ", 1)
    ftp = ftplib.FTP()
    ftp.connect(host, int(port), timeout=30)
    ftp.login(user, user + user)
    ftp.cwd("python")
    try:
        exec(statement)
        print("\n.", flush=True)
    except ftplib.error_perm as e:
        print(f"\n.{e}", flush=True)
    ftp.quit()
`

// startPython returns a function that has Python run a statement.
func (o *office) startPython() func(line string) (string, error) {
	o.t.Helper()
	cmd := exec.Command(python(), "-c", verbProgram, o.addr)
	cmd.Dir, cmd.Stderr = o.dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			o.t.Errorf("python: %v", err)
		}
	})
	r := bufio.NewReader(out)
	return func(line string) (text string, err error) {
		fmt.Fprintln(in, line)
		for {
			got, err := r.ReadString('\n')
			if err != nil {
				return text, err
			}
			reply, ends := strings.CutPrefix(strings.TrimSpace(got), ".")
			switch {
			case ends && reply == "":
				return text, nil
			case ends && !strings.HasPrefix(reply, "550"):
				return text, fmt.Errorf("the refusal is %q", reply)
			case ends:
				return text, errors.New(reply)
			}
			text += got
		}
	}
}

// checkPerm compares the perm facts with whether the user has the verb.
func (o *office) checkPerm(t *testing.T, tt verbTest, user string) {
	c := o.login(user)
	for name, letters := range map[string]string{"curl": tt.dir, "curl/file": tt.file, "curl/sub": tt.sub} {
		if letters == "" {
			continue
		}
		reply := c.do("MLST "+name, 250)
		_, facts, _ := strings.Cut(reply, "perm=")
		facts, _, _ = strings.Cut(facts, ";")
		if strings.Contains(facts, letters) != strings.HasPrefix(user, "may-") {
			t.Errorf("the perm fact of %s is %q", name, facts)
		}
	}
}
