package test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Two cameras with one login send files of one name, and both are cut. Whatever they do then, 226
// is for a content that one of them has sent.
func twoDevices(t *testing.T, addr string) {
	t.Helper()
	const all, cutA, cutB = 5 << 20, 2 << 20, 3 << 20
	bodyA, bodyB := content(all, "of a"), content(all, "of b")
	a, b := login(t, "127.0.0.1", addr), login(t, "127.0.0.2", addr)
	cut := func(c *ftpClient, part []byte) {
		t.Helper()
		reset(t, c.beginUpload("STOR clip.mp4", part))
		c.expect(426)
	}
	cut(a, bodyA[:cutA])
	cut(b, bodyB[:cutB])
	// goOn does what clients do: it asks for the size and sends the rest, or all of it when that is
	// refused.
	goOn := func(c *ftpClient, who string, body []byte, sent int) {
		t.Helper()
		n := 0
		if reply := c.do("SIZE clip.mp4", 213, 550); strings.HasPrefix(reply, "213 ") {
			fmt.Sscan(reply[4:], &n)
		}
		if n > 0 {
			c.do(fmt.Sprintf("REST %d", n), 350)
			data := c.data()
			if reply := c.do("STOR clip.mp4", 150, 125, 450, 550); reply[0] == '1' {
				if _, err := data.Write(body[n:]); err != nil {
					t.Fatal(err)
				}
				data.Close()
				c.expect(226)
			} else {
				n = 0
			}
		}
		if n == 0 {
			c.upload("STOR clip.mp4", body)
		}
		if got := c.fetch("RETR clip.mp4"); !bytes.Equal(got, body) {
			t.Errorf("after %s went on at %d, having sent %d, the file has other %s", who, n, sent, bytesOnly(got))
		}
	}
	a.do(fmt.Sprintf("REST %d", cutB), 350) // where the other one is
	a.data()
	a.do("STOR clip.mp4", 450, 550)
	goOn(a, "a", bodyA, cutA)
	goOn(b, "b", bodyB, cutB)
}

func TestTwoDevicesWithOneLogin(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			_, addr := serve(t, t.TempDir(), "--vfs-cache-mode", mode, "--cache-dir", t.TempDir())
			twoDevices(t, addr)
		})
	}
}

func devicesAreApart(v *visit) { twoDevices(v.T, v.addr) }

// A device comes back while its old session hangs: what that has is not continued, nor is the old
// file with the new rest.
func TestADeviceComesBackWhileItsSessionHangs(t *testing.T) {
	t.Parallel() // it mostly waits
	old, body := content(1<<20, "old"), content(3<<20, "new")
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			_, addr := serve(t, t.TempDir(), "--vfs-cache-mode", mode, "--cache-dir", t.TempDir())
			c := login(t, "", addr)
			c.upload("STOR clip.mp4", old)
			hangs := login(t, "", addr)
			data := hangs.beginUpload("STOR clip.mp4", body[:2<<20])
			for _, command := range []string{"REST 1048576", "REST 2097152", ""} {
				if command != "" {
					c.do(command, 350)
					command = "STOR clip.mp4"
				} else {
					command = "APPE clip.mp4"
				}
				c.data()
				c.do(command, 450)
			}
			if _, err := data.Write(body[2<<20:]); err != nil {
				t.Fatal(err)
			}
			data.Close()
			hangs.expect(226)
			if got := c.fetch("RETR clip.mp4"); !bytes.Equal(got, body) {
				t.Errorf("the file has other %s", bytesOnly(got))
			}
			c.upload("APPE clip.mp4", []byte("+"))
		})
	}
}
