package test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A pty is a terminal that a program runs on, and what a person at it types and reads.
type pty struct {
	t      *testing.T
	person *os.File
	seen   *logBuffer
	done   chan error
}

// onTerminal starts a program on a terminal of 100 by 30.
func onTerminal(t *testing.T, cmd *exec.Cmd) *pty {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no terminals here:", err)
	}
	t.Cleanup(func() { person.Close() })
	control := func(request, arg uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, arg); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlock, number int32
	size := [4]uint16{30, 100}
	control(syscall.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlock)))
	control(syscall.TIOCGPTN, uintptr(unsafe.Pointer(&number)))
	control(syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&size)))
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &pty{t: t, person: person, seen: newLogBuffer(), done: make(chan error, 1)}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
			if err != nil { // the program has ended, and all that it wrote was read
				p.done <- cmd.Wait()
				return
			}
			_, _ = p.seen.Write(buf[:n]) // it never fails
		}
	}()
	return p
}

func (p *pty) types(keys string) {
	p.t.Helper()
	if _, err := p.person.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pty) shows(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if _, err := p.seen.waitFor(func(all string) bool { return strings.Contains(all, text) }); err != nil {
			p.t.Fatalf("%q is not shown: %v", text, err)
		}
	}
}

// ended wants the program to end well.
func (p *pty) ended() {
	p.t.Helper()
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("it ends with %v: %q", err, p.seen)
		}
	case <-time.After(patience):
		p.t.Fatal("it does not end")
	}
}

// ferry top shows a real server on a real terminal, kicks a session, and leaves the terminal as it
// was.
func TestTop(t *testing.T) {
	t.Parallel()
	s := show(t)
	s.load()
	env := append(os.Environ(), "TERM=xterm-256color", "FERRY_RC_ADDR="+strings.TrimSuffix(strings.TrimPrefix(controlAddress(t, s.ferry.log), "http://"), "/"))
	cmd := exec.Command(ferryBinary, "top", "--user", "op", "--pass", "secret")
	cmd.Env = env
	p := onTerminal(t, cmd)
	p.shows("1 file was refused", "film.mov", "[1 Transfers 2]") // what stays is not written again
	p.types("3")
	p.shows("413")
	p.types("4")
	p.shows("CameraOS")
	p.types("K")
	p.shows("kick session 1 of bob?")
	p.types("y")
	s.until("the end of session 1", func(all map[string]any) bool {
		return all["sessions"].(map[string]any)["rows"].([]any)[0].(map[string]any)["id"] != 1.0
	})
	p.types("q")
	p.ended()
	if !strings.Contains(p.seen.String(), "\x1b[?1049l") {
		t.Error("the terminal is not given back")
	}
	// A reader sees, and is told that nothing more is his.
	cmd = exec.Command(ferryBinary, "top", "--user", "eye", "--pass", "look")
	cmd.Env = env
	p = onTerminal(t, cmd)
	p.shows("half.bin")
	p.types("Ky")
	p.shows("failed")
	p.types("\x03")
	p.ended()
	for args, want := range map[string]string{
		"--user eye --pass wrong": "wants another user name or password", "--url 127.0.0.1:1": "no remote control answers at", "--url x --unix-socket y": "exclude each other",
	} {
		cmd := exec.Command(ferryBinary, append([]string{"top"}, strings.Fields(args)...)...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v %s", args, err, out)
		}
	}
}
