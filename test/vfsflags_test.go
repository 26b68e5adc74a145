package test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNamesInOtherSpellings(t *testing.T) {
	const composed, decomposed = "caf\u00e9", "cafe\u0301"
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "Dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "Dir", "Report.TXT"), "report")
	write(t, filepath.Join(root, composed), "composed")
	write(t, filepath.Join(root, decomposed), "decomposed")
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 3 {
		t.Skip("this file system does not tell the names apart")
	}
	t.Run("by default", func(t *testing.T) {
		_, addr := serve(t, root)
		c := login(t, "", addr)
		c.do("SIZE dir/report.txt", 550)
		if got := lines(c.fetch("NLST")); len(got) != 3 {
			t.Errorf("listed: %q", got)
		}
	})
	t.Run("--vfs-case-insensitive", func(t *testing.T) {
		_, addr := serve(t, root, "--vfs-case-insensitive")
		c := login(t, "", addr)
		if got := string(c.fetch("RETR dir/report.txt")); got != "report" {
			t.Errorf("got %q", got)
		}
		c.do("CWD DIR", 250)
		c.upload("STOR REPORT.TXT", []byte("newer report"))
		c.do("RNFR report.txt", 350)
		c.do("RNTO REPORT.txt", 250)
		if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"REPORT.txt"}) {
			t.Errorf("listed: %q", got)
		}
	})
	t.Run("--vfs-block-norm-dupes", func(t *testing.T) {
		_, addr := serve(t, root, "--vfs-block-norm-dupes")
		c := login(t, "", addr)
		if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"Dir", composed}) {
			t.Errorf("listed: %q", got)
		}
		c.do("SIZE "+decomposed, 550)
		c.data()
		mention(t, c.do("STOR "+decomposed, 553), "--vfs-block-norm-dupes")
	})
}

func TestATreeThatIsWarmedAtTheStart(t *testing.T) {
	s := startFerry(t)
	for _, dir := range []string{"one", "two/three"} {
		if err := os.MkdirAll(filepath.Join(s.files, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(s.files, dir, "file"), "file")
	}
	proc, addr := serveAt(t, "far:", append(s.environment("far", s.addr), "FERRY_VFS_REFRESH=true", "FERRY_CHECKERS=2"))
	if err := proc.log.waitForLine(`listed the tree dirs=4 files=2`); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.files, "two", "three", "behind"), "file")
	if got := lines(login(t, "", addr).fetch("NLST two/three")); !slices.Equal(got, []string{"two/three/file"}) {
		t.Errorf("listed, not remembered: %q", got)
	}
}
