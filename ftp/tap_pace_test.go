package ftp

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

// TestEveryByteIsPaced counts what each way of moving bytes asks for. Over TLS that is more: the
// records.
func TestEveryByteIsPaced(t *testing.T) {
	const size = 2*recvSlice + 12345
	content := randomBytes(size)
	ops := map[string]struct {
		sends bool
		do    func(t *testing.T, d *dataConn) error
	}{
		"receive":  {false, func(_ *testing.T, d *dataConn) error { _, err := d.copyTo(io.Discard); return err }},
		"splice":   {false, func(t *testing.T, d *dataConn) error { _, err := d.copyTo(tempFile(t, nil)); return err }},
		"send":     {true, func(_ *testing.T, d *dataConn) error { _, err := d.Write(content); return err }},
		"sendfile": {true, func(t *testing.T, d *dataConn) error { _, err := d.ReadFrom(tempFile(t, content)); return err }},
	}
	each(t, func(t *testing.T, c channel) {
		for name, op := range ops {
			t.Run(name, func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				var up, down, most int
				count := func(sum *int) func(context.Context, int) error {
					return func(_ context.Context, n int) error {
						*sum += n
						most = max(most, n)
						return nil
					}
				}
				d.tap.pace(t.Context(), Limits{Up: count(&up), Down: count(&down)})
				done := make(chan error, 1)
				go func() {
					if op.sends {
						_, err := io.CopyN(io.Discard, client, size)
						done <- err
						return
					}
					_, err := client.Write(content)
					done <- errors.Join(err, client.Close())
				}()
				if err := op.do(t, d); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				asked, other := up, down
				if op.sends {
					asked, other = down, up
				}
				if asked < size || asked > size+size/20 || c.tls == nil && asked > size+paced {
					t.Errorf("asked for %d bytes, moved %d", asked, size)
				}
				if c.tls == nil && other != 0 {
					t.Errorf("asked for %d bytes the other way", other)
				}
				if most > paced {
					t.Errorf("asked for %d bytes at once", most)
				}
			})
		}
	})
}

// TestAPaceThatEndsEndsTheTransfer is about a wait that its context has ended.
func TestAPaceThatEndsEndsTheTransfer(t *testing.T) {
	gone := errors.New("gone")
	refuse := func(context.Context, int) error { return gone }
	each(t, func(t *testing.T, c channel) {
		d, client := c.connect(t, time.Minute)
		go io.Copy(io.Discard, client)
		d.tap.pace(t.Context(), Limits{Up: refuse, Down: refuse})
		if _, err := d.ReadFrom(tempFile(t, randomBytes(recvSlice))); !errors.Is(err, gone) {
			t.Errorf("sending: %v", err)
		}
	})
}
