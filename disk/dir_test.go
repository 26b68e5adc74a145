package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func openDir(t *testing.T) (Disk, string) {
	t.Helper()
	name := t.TempDir()
	d, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, name
}

func write(t *testing.T, d Disk, name, text string) {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(text), 0)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAReaderIsAFileThatTheKernelSends(t *testing.T) {
	d, _ := openDir(t)
	write(t, d, "f", "header and data")
	f, err := d.OpenFile("f", os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Reader(11)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ok := r.(*os.File); !ok {
		t.Errorf("it is a %T", r)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "data" {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	d, name := openDir(t)
	if err := d.Mkdir("dir"); err != nil {
		t.Fatal(err)
	}
	write(t, d, "dir/f", "secret")
	for _, file := range []string{"dir", "dir/f"} {
		info, err := os.Stat(name + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if bits := info.Mode().Perm() & 0o077; bits != 0 && os.PathSeparator == '/' {
			t.Errorf("%s is open to others: %v", file, info.Mode())
		}
	}
}

func TestALinkLeadsNowhere(t *testing.T) {
	d, name := openDir(t)
	outside := t.TempDir() + "/victim"
	if err := os.WriteFile(outside, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, name+"/link"); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if f, err := d.OpenFile("link", os.O_RDWR); err == nil {
		t.Error("it was opened")
		f.Close()
	}
	if err := os.Symlink(t.TempDir(), name+"/dirlink"); err != nil {
		t.Fatal(err)
	}
	if f, err := d.OpenFile("dirlink/f", os.O_RDWR|os.O_CREATE); err == nil {
		t.Error("a file was made behind it")
		f.Close()
	}
}

func TestADirectoryThatIsMadeAgainIsTheNewOne(t *testing.T) {
	d, _ := openDir(t)
	for range 2 {
		if err := d.Mkdir("dir"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenFile("dir/f", os.O_RDONLY); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a new directory has a file: %v", err)
		}
		write(t, d, "dir/f", "text")
		for _, err := range []error{d.SyncDir("dir"), d.Rename("dir/f", "dir/g"), d.Remove("dir/g"), d.Remove("dir")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMoreDirectoriesThanAreKeptOpen(t *testing.T) {
	d, _ := openDir(t)
	for i := range 600 {
		dir := fmt.Sprint("dir", i)
		if err := d.Mkdir(dir); err != nil {
			t.Fatal(err)
		}
		write(t, d, dir+"/f", "text")
		for _, err := range []error{d.Rename(dir+"/f", "dir0/g"), d.SyncDir(dir), d.Remove("dir0/g")} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// lockEnv makes this test binary a process that holds a lock until its input ends.
const lockEnv = "FERRY_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockEnv); dir != "" {
		holdLock(dir)
		return
	}
	os.Exit(m.Run())
}

func holdLock(dir string) {
	d, err := Open(dir)
	if err == nil {
		_, err = d.Lock("lock")
	}
	fmt.Println(err)
	io.Copy(io.Discard, os.Stdin)
}

func TestTheLockOfAnotherProcess(t *testing.T) {
	d, name := openDir(t)
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), lockEnv+"="+name)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil || strings.TrimSpace(string(line)) != "<nil>" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	_, err = d.Lock("lock")
	held := (*HeldError)(nil)
	if !errors.As(err, &held) || held.PID != other.Process.Pid || held.Dir != name {
		t.Errorf("the lock: %v, not of process %d", err, other.Process.Pid)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	_ = other.Wait() // it was killed
	lock, err := d.Lock("lock")
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}
