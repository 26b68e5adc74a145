package ftp

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// tapped is a tap on a connection in memory, and the other side of it.
func tapped(stall time.Duration) (*tap, net.Conn) {
	here, there := net.Pipe()
	return &tap{conn: here, stall: stall}, there
}

func TestTapEndsWhatStandsStill(t *testing.T) {
	for name, op := range map[string]func(*tap) error{
		"read":  func(t *tap) error { _, err := t.Read(make([]byte, 1)); return err },
		"write": func(t *tap) error { _, err := t.Write(make([]byte, 1)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tap, there := tapped(8 * time.Minute)
				defer there.Close()
				defer tap.Close()
				began := time.Now()
				err := op(tap)
				if took := time.Since(began); !errors.Is(err, errStalled) || took != 8*time.Minute {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

func TestTapLetsSlowTransfersBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap, there := tapped(8 * time.Minute)
		defer tap.Close()
		go func() {
			defer there.Close()
			for range 10 {
				time.Sleep(8*time.Minute - time.Second)
				there.Write([]byte("x"))
			}
		}()
		got, err := io.ReadAll(tap)
		if len(got) != 10 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if !tap.ended {
			t.Error("the end went unnoticed")
		}
	})
}

func TestTapWritesOnWhenASliceTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap, there := tapped(8 * time.Minute)
		got := make(chan int)
		go func() {
			n := 0
			one := make([]byte, 1)
			for {
				time.Sleep(7 * time.Minute)
				if _, err := there.Read(one); err != nil {
					break
				}
				n++
			}
			got <- n
		}()
		if n, err := tap.Write(make([]byte, 5)); n != 5 || err != nil {
			t.Errorf("wrote %d bytes: %v", n, err)
		}
		tap.Close()
		if n := <-got; n != 5 {
			t.Errorf("the other side has %d bytes", n)
		}
	})
}

func TestTapForgivesAFileThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap, there := tapped(time.Minute)
		defer tap.Close()
		go io.Copy(io.Discard, there)
		defer there.Close()
		for range 20 {
			if _, err := tap.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour) // the storage at work
		}
	})
}

// What moves slower than the least rate for a minute ends; what is fast enough, or waits for its
// storage, does not.
func TestTapEndsWhatIsTooSlow(t *testing.T) {
	const rate, minute = 100, time.Minute
	for _, tt := range []struct {
		name    string
		stall   time.Duration
		chunk   int // bytes from the other side every second
		storage time.Duration
		ends    bool
	}{
		{"slow", 8 * minute, rate / 2, 0, true},
		{"slow, with a short stall limit", 10 * time.Second, rate / 2, 0, true},
		{"slow, with a long stall limit", 8 * time.Hour, 1, 0, true},
		{"fast enough", 8 * minute, rate * 2, 0, false},
		{"slow storage", 8 * minute, rate * 2, minute, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tap, there := tapped(tt.stall)
				tap.rate, tap.rateTime = rate, minute
				done := make(chan struct{})
				defer func() { <-done }()
				defer tap.Close()
				go func() {
					defer close(done)
					defer there.Close()
					for range 300 {
						time.Sleep(time.Second)
						if _, err := there.Write(make([]byte, tt.chunk)); err != nil {
							return
						}
					}
				}()
				began := time.Now()
				var err error
				for err == nil {
					_, err = tap.Read(make([]byte, 1000))
					time.Sleep(tt.storage)
				}
				took := time.Since(began)
				switch {
				case tt.ends && (err != errTooSlow || took < minute || took > 90*time.Second):
					t.Errorf("%v after %v", err, took)
				case !tt.ends && err != io.EOF:
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

func TestTapEndsAReaderThatIsTooSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap, there := tapped(8 * time.Minute)
		tap.rate, tap.rateTime = 100, time.Minute
		done := make(chan struct{})
		defer func() { <-done }()
		defer there.Close()
		defer tap.Close()
		go func() {
			defer close(done)
			for {
				time.Sleep(time.Second)
				if _, err := there.Read(make([]byte, 10)); err != nil {
					return
				}
			}
		}()
		began := time.Now()
		_, err := tap.Write(make([]byte, 1<<20))
		if took := time.Since(began); err != errTooSlow || took > 90*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}
