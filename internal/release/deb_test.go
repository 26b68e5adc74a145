package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// installs installs the .deb in dist in a copy of this system that nothing leaves, starts what its
// unit would start, stores and reads a file by curl, removes it and purges it. The script
// testdata/deb.sh does this; each step says what it found.
func installs(t *testing.T, dist string) {
	t.Helper()
	debs, err := filepath.Glob(filepath.Join(dist, "*.deb"))
	if err != nil || len(debs) != 1 {
		t.Fatalf("packages %v, %v", debs, err)
	}
	for _, program := range []string{"dpkg", "unshare", "setpriv", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing: the package is not installed", program)
		}
	}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("only root can install the package")
	}
	dir := t.TempDir()
	for _, d := range []string{"upper", "work", "root"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	overlay := "mount -t overlay overlay -o lowerdir=/,upperdir=" + dir + "/upper,workdir=" + dir + "/work " + dir + "/root"
	if out, err := exec.Command("unshare", "-m", "sh", "-c", overlay).CombinedOutput(); err != nil {
		t.Skipf("a copy of this system cannot be made by overlayfs, so the package is not installed: %s", out)
	}
	for from, to := range map[string]string{debs[0]: "ferry.deb", "testdata/deb.sh": "deb.sh"} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "upper", to), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// A process that is left is killed with the namespace.
	cmd := exec.Command("unshare", "-m", "-n", "-p", "--fork", "--kill-child", "sh", "-c",
		overlay+" && mount -t proc proc "+dir+"/root/proc && mount --rbind /dev "+dir+"/root/dev && exec chroot "+dir+"/root sh /deb.sh")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "deb: all is well\n") {
		t.Errorf("installing the package: %v\n%s", err, out)
	}
}
