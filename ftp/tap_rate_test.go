package ftp

import (
	"errors"
	"io"
	"testing"
	"time"
)

// Every way in which bytes move is measured.
func TestTooSlowTransfersEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	each(t, func(t *testing.T, c channel) {
		ops := map[string]func(t *testing.T, d *dataConn) error{
			"receive": func(_ *testing.T, d *dataConn) error { _, err := d.copyTo(io.Discard); return err },
			"splice":  func(t *testing.T, d *dataConn) error { _, err := d.copyTo(tempFile(t, nil)); return err },
			"send":    func(_ *testing.T, d *dataConn) error { _, err := d.ReadFrom(endless{}); return err },
			"sendfile": func(t *testing.T, d *dataConn) error {
				_, err := d.ReadFrom(tempFile(t, make([]byte, 64*recvSlice)))
				return err
			},
		}
		for name, op := range ops {
			t.Run(name, func(t *testing.T) {
				d, client := c.connect(t, 4*time.Second)
				d.tap.rate, d.tap.rateTime = 1<<30, 200*time.Millisecond
				done, over := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(done)
					if name == "splice" {
						client.Write(make([]byte, blockSize+1))
					}
					one := make([]byte, 1)
					for err := error(nil); err == nil; {
						select {
						case <-over:
							return
						case <-time.After(5 * time.Millisecond):
						}
						if name == "send" || name == "sendfile" {
							_, err = client.Read(one)
						} else {
							_, err = client.Write(one)
						}
					}
				}()
				began := time.Now()
				err := op(t, d)
				if took := time.Since(began); !errors.Is(err, errTooSlow) || took > 20*time.Second {
					t.Errorf("%v after %v", err, took)
				}
				isNetworkError(t, err)
				close(over)
				d.abort()
				client.Close()
				<-done
			})
		}
	})
}
