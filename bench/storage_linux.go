package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"ferry/bench/link"
)

// The S3 server: it keeps objects as files, so that what has arrived can be seen beside it.
const (
	gatewayModule, gatewayVersion = "github.com/versity/versitygw/cmd/versitygw", "v1.8.0"
	bucket                        = "bench"
	// farRemote is how servers with a configuration like rclone's know the bucket.
	farRemote = "far:" + bucket
)

// network is the way to it.
var network = link.Options{Latency: 30 * time.Millisecond, PerConn: 100e6, Total: 400e6}

// storage is the S3 server, and the way to it.
type storage struct {
	what    string // says what it is
	gateway *tree  // nil where it is this process
	direct  string // its address
	link    *link.Link
	stop    func()

	// requests is how many the server has answered so far, give or take a constant.
	requests func() (int, error)
}

func (f *storage) String() string { return f.what }

func rateText(bytesPerSecond int64) string { return fmt.Sprintf("%d MB/s", bytesPerSecond/1e6) }

// startStorage runs the S3 server on dir, where each directory is a bucket, and the way to it.
func startStorage(ctx context.Context, b *bench, dir string) (*storage, error) {
	bin, err := b.installed(ctx, gatewayModule, gatewayVersion)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	log := filepath.Join(b.top, "requests.log")
	f := &storage{direct: fmt.Sprintf("127.0.0.1:%d", port), requests: func() (int, error) { return lines(log) }}
	f.what = fmt.Sprintf("the S3 server versitygw %s at %v per round trip, %s per connection, %s in all",
		gatewayVersion, network.Latency, rateText(network.PerConn), rateText(network.Total))
	cmd := exec.Command(bin, "--access", benchUser, "--secret", benchPass, "--port", f.direct, "--keep-alive", "--quiet",
		"--access-log", log, "posix", dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if f.gateway, err = startTree(cmd, "s3"); err != nil {
		return nil, err
	}
	f.stop = f.gateway.stop
	if err := f.ready(ctx); err != nil {
		f.stop()
		return nil, fmt.Errorf("%w: %s", err, lastLine(out.String()))
	}
	return f, f.open(ctx, b, network)
}

// open makes the way to the server, and has stop close it first. Where it fails, the server is
// stopped.
func (f *storage) open(ctx context.Context, b *bench, o link.Options) (err error) {
	stop := f.stop
	if f.link, err = link.Listen(f.direct, o); err != nil {
		stop()
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- f.link.Run(run) }()
	f.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.log.Warn("the link to the S3 server", "err", err)
		}
		stop()
	}
	return nil
}

// ready waits until the server listens.
func (f *storage) ready(ctx context.Context) error {
	err := errors.New("the S3 server does not listen")
	until(ctx, 20*time.Second, func() bool {
		select {
		case <-f.gateway.ended:
			err = errors.New("the S3 server ended at its start")
			return true
		default:
		}
		c, e := net.Dial("tcp", f.direct)
		if e != nil {
			return false
		}
		c.Close()
		err = nil
		return true
	})
	return err
}

// env describes the server at addr as the remote of farRemote.
func (f *storage) env(addr string) []string {
	return []string{
		"RCLONE_CONFIG=" + os.DevNull,
		"RCLONE_CONFIG_FAR_TYPE=s3",
		"RCLONE_CONFIG_FAR_PROVIDER=Other",
		"RCLONE_CONFIG_FAR_ENDPOINT=http://" + addr,
		"RCLONE_CONFIG_FAR_ACCESS_KEY_ID=" + benchUser,
		"RCLONE_CONFIG_FAR_SECRET_ACCESS_KEY=" + benchPass,
	}
}

// lines counts those of a file.
func lines(file string) (int, error) {
	text, err := os.ReadFile(file)
	return bytes.Count(text, []byte{'\n'}), err
}

// quiet waits until the server has had nothing to answer for a while: a server that was just
// started may have something to ask on its own account.
func (f *storage) quiet(ctx context.Context) error {
	last, since := -1, time.Now()
	var err error
	until(ctx, 5*time.Second, func() bool {
		var now int
		if now, err = f.requests(); err != nil {
			return true
		}
		if now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 4*network.Latency
	})
	return err
}

// pulled is how many bytes the server has sent so far, when none are on their way any more.
func (f *storage) pulled(ctx context.Context) int64 {
	last, since := f.link.Down(), time.Now()
	until(ctx, 10*time.Second, func() bool {
		if now := f.link.Down(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	return last
}
