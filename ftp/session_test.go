package ftp_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

func TestSecretsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	srv := newServer(t, memory.New(), nil)
	srv.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	overPipe(t, srv, func(d *dialogue) {
		d.steps("> REIN", "<< 220", "> USER bob", "<< 331", "> pass hunter2", "<< 230", "> ACCT hunter2", "<< 202")
		for _, line := range []string{` PASS hunter2`, `\x00PASS hunter2`, `PASS\thunter2`, `PASS=hunter2`, `ADAT hunter2`} {
			d.steps("> "+line, "<< 500")
		}
		d.steps("> QUIT", "<< 221")
	})
	if strings.Contains(strings.ToLower(log.String()), "hunter2") || !strings.Contains(log.String(), "verb=PASS") {
		t.Errorf("the log:\n%s", &log)
	}
}

func TestAUserNameCannotForgeReplies(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.Backend = backendFunc(func() (ftp.FS, error) { return slow{}, nil })
	overPipe(t, srv, func(d *dialogue) {
		d.steps(`> USER a\r211 End\x00`, "<< 331", "> PASS x", "<< 230")
		if status := d.command("STAT", "211"); !strings.Contains(status, `Logged in as "a\r211 End\x00"`) {
			t.Errorf("the status is %q", status)
		}
	})
}

// The time to log in counts again from the end of a login, and nothing else pushes it back.
func TestLoginTimeoutAfterALogin(t *testing.T) {
	for _, again := range []string{"REIN", "USER bob"} {
		overPipe(t, newServer(t, memory.New(), nil), func(d *dialogue) {
			time.Sleep(2 * time.Minute)
			start := time.Now()
			d.write(again + "\r\n")
			d.line()
			time.Sleep(40 * time.Second)
			d.steps("> REIN", "<< 220")
			if last := d.reply("421"); !strings.Contains(last, "Login timeout") || time.Since(start) != time.Minute {
				t.Errorf("%s: %q after %v", again, last, time.Since(start))
			}
		})
	}
}
