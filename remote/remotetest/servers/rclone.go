package servers

import (
	"cmp"
	"os"
	"os/exec"
	"testing"
)

// Rclone returns rclone as a program: RCLONE_BIN, or what is in PATH. make soak builds it, which
// takes minutes. Without one the test is skipped.
func Rclone(t testing.TB) string {
	t.Helper()
	if os.Getenv("FERRY_BUILD_RCLONE") != "" {
		return BuildProgram(t, "github.com/rclone/rclone", "v1.76.0")
	}
	bin, err := exec.LookPath(cmp.Or(os.Getenv("RCLONE_BIN"), "rclone"))
	if err != nil {
		t.Skip("there is no rclone: RCLONE_BIN can name one")
	}
	return bin
}
