package test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// filtered are files of the kinds that rules are about.
var filtered = []string{
	"a.jpg", "A.JPG", "b.png", "notes.txt", "notes.txt.bak", "secret1.jpg", "file2.avi", "[JP].rom", "x1y", "x!y",
	"dir/a.jpg", "dir/a.jpeg", "dir/tmp/scratch.txt", "dir/Trash/old.jpg", "dir/Trash/old.doc", "dir/deep/er/c.pdf",
	"other/dir/d.jpg", "other/e.pdf", "other/e.doc", "empty/.ignore", "empty/hidden.txt", "big.bin",
}

// rulesFile is what the rule files of the tests hold.
const rulesFile = `# remark
- secret*.jpg
+ *.jpg
- /dir/tmp/**

+ /dir/**
; remark
- *.bak
+ file2.avi
- *
`

// What rclone lists under the same flags is what ferry lists.
func TestFiltersLeaveOutWhatRcloneLeavesOut(t *testing.T) {
	program := rclone(t)
	root := t.TempDir()
	makeFiltered(t, root)
	rules := filepath.Join(t.TempDir(), "rules.txt")
	patterns := filepath.Join(t.TempDir(), "patterns.txt")
	for name, text := range map[string]string{rules: rulesFile, patterns: "# remark\n*.jpg\n/dir/**\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, flags := range [][]string{
		{"--exclude", "*.bak"},
		{"--exclude", "/dir/**"},
		{"--exclude", "dir/"},
		{"--exclude", "dir/**"},
		{"--exclude", "*"},
		{"--exclude", "/*"},
		{"--exclude", `*\[{JP,KR,HK}\]*`},
		{"--exclude", "x[!1]y"},
		{"--exclude", "x[^1]y"},
		{"--exclude", "[a-b].*", "--exclude", "other/*.doc"},
		{"--exclude-from", patterns},
		{"--include", "*.jpg"},
		{"--include", "/*.jpg"},
		{"--include", "/dir/*.jpg"},
		{"--include", "*.{jpg,png}"},
		{"--include", "{dir,other}/**"},
		{"--include", "/dir/"},
		{"--include", "*.{{jpe?g}}"},
		{"--include", "*.{{(?i)jpg}}"},
		{"--include", "*.jpg", "--ignore-case"},
		{"--include-from", patterns},
		{"--include", "*.pdf", "--exclude", "other/**"},
		{"--include", "dir/*.jpg"},
		{"--include", "**/dir/*.jpg"},
		{"--filter", "+ *.jpg"},
		{"--filter", "- *.jpg", "--filter", "+ secret*"},
		{"--filter", "- /dir/Trash/", "--filter", "+ *.jpg", "--filter", "- *"},
		{"--filter", "+ /dir/deep/**", "--filter", "- /dir/**"},
		{"--filter-from", rules},
		{"--exclude-if-present", ".ignore"},
		{"--min-size", "1k"},
		{"--max-size", "100b"},
		{"--max-age", "1h"},
		{"--min-age", "1h"},
	} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			cmd, log := rcloneCommand(t, program, append([]string{"lsf", "-R", root}, flags...)...)
			var out bytes.Buffer
			cmd.Stdout = &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("rclone: %v: %s", err, log)
			}
			want := strings.Fields(out.String())
			slices.Sort(want)
			_, addr := serve(t, root, flags...)
			got := walk(login(t, "", addr), "")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("ferry lists\n%q\nrclone\n%q", got, want)
			}
		})
	}
}

func makeFiltered(t *testing.T, root string) {
	t.Helper()
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range filtered {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		content := []byte(name)
		if name == "big.bin" {
			content = make([]byte, 4096)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".pdf") {
			if err := os.Chtimes(file, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// walk lists everything below dir as rclone lsf -R does: directories have a slash behind them.
func walk(c *ftpClient, dir string) []string {
	var all []string
	for _, line := range lines(c.fetch("MLSD " + dir)) {
		facts, name, _ := strings.Cut(line, " ")
		switch {
		case strings.Contains(facts, "type=dir"):
			all = append(all, dir+name+"/")
			all = append(all, walk(c, dir+name+"/")...)
		case strings.Contains(facts, "type=file"):
			all = append(all, dir+name)
		}
	}
	return all
}

func TestWhatIsFilteredDoesNotExist(t *testing.T) {
	root := t.TempDir()
	makeFiltered(t, root)
	p, addr := serve(t, root, "--exclude", "*.bak", "--exclude", "/dir/Trash/", "--exclude-if-present", ".ignore", "--max-size", "1k")
	c := login(t, "", addr)
	for _, name := range []string{"notes.txt.bak", "dir/Trash/old.doc", "empty/hidden.txt", "big.bin"} {
		c.do("SIZE "+name, 550)
		c.do("MDTM "+name, 550)
		c.do("DELE "+name, 550)
		c.do("RNFR "+name, 550)
		c.data()
		c.do("RETR "+name, 550)
	}
	c.do("CWD dir/Trash", 550)
	c.do("CWD empty", 550)
	for name, flag := range map[string]string{"new.bak": "--exclude", "dir/Trash/new": "--exclude", "empty/new": "--exclude-if-present"} {
		c.data()
		mention(t, c.do("STOR "+name, 553), "("+flag+")")
	}
	mention(t, c.do("MKD dir/Trash", 553), "--exclude")
	c.do("RNFR notes.txt", 350)
	mention(t, c.do("RNTO other.bak", 553), "--exclude")
	c.upload("STOR new.txt", []byte("new"))
	if got := string(c.fetch("RETR new.txt")); got != "new" {
		t.Errorf("what is not filtered holds %q", got)
	}
	if n := countFiles(t, root); n != len(filtered)+1 {
		t.Errorf("%d files are there, want %d", n, len(filtered)+1)
	}
	if status, err := p.stop(); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

func countFiles(t *testing.T, root string) (n int) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRulesComeFromStandardInputAndTheEnvironment(t *testing.T) {
	root := t.TempDir()
	makeFiltered(t, root)
	p := &process{log: newLogBuffer(), done: make(chan struct{})}
	p.cmd = exec.Command(ferryBinary, "serve", "ftp", root, "--addr", "127.0.0.1:0", "--user", "bob", "--exclude-from", "-")
	p.cmd.Env = []string{"FERRY_EXCLUDE=*.jpg,\"*.{pdf,doc}\"", "HOME=" + t.TempDir()}
	p.cmd.Stdin = strings.NewReader("*.txt\n")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it is killed
	}()
	t.Cleanup(p.kill)
	addrs, err := p.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	got := walk(login(t, "", addrs[0]), "")
	if slices.ContainsFunc(got, func(name string) bool {
		return strings.HasSuffix(name, ".jpg") || strings.HasSuffix(name, ".pdf") || strings.HasSuffix(name, ".txt")
	}) || !slices.Contains(got, "b.png") {
		t.Errorf("listed: %q", got)
	}
}
