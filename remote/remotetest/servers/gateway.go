package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A Gateway is an S3 server over a directory.
type Gateway struct {
	Addr   string    // host and port
	Data   string    // where it keeps its buckets
	Server *exec.Cmd // the program
}

// StartGateway runs an S3 server that has one bucket, empty, and lets in who has the key and its
// secret. It may have more flags. It ends with the test. Where it cannot be built the test is
// skipped.
func StartGateway(t *testing.T, key, secret, bucket string, more ...string) *Gateway {
	t.Helper()
	program := BuildProgram(t, "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
	dir := t.TempDir()
	data, meta := filepath.Join(dir, "data"), filepath.Join(dir, "meta")
	for _, sub := range []string{filepath.Join(data, bucket), meta} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g := &Gateway{Addr: fmt.Sprintf("127.0.0.1:%d", FreePort(t)), Data: data}
	args := append([]string{"--access", key, "--secret", secret, "--port", g.Addr, "--quiet"}, more...)
	g.Server = exec.Command(program, append(args, "posix", "--sidecar", meta, data)...)
	StartWebServer(t, "http://"+g.Addr, "", g.Server)
	return g
}
