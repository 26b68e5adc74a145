package ftp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/remote/driver/memory"
)

// fewDescriptors names the variable that makes a test of this name a server with so many
// descriptors.
const fewDescriptors = "FERRY_TEST_DESCRIPTORS"

// narrow is a server in a process of its own.
type narrow struct {
	addr string
	in   io.Writer
	out  *bufio.Reader
}

// startNarrow runs this test again as a server that may have so many descriptors.
func startNarrow(t *testing.T, descriptors int) *narrow {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerOfFewDescriptors$", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), fewDescriptors+"="+strconv.Itoa(descriptors))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	n := &narrow{in: in, out: bufio.NewReader(out)}
	n.addr = n.said(t)
	return n
}

func (n *narrow) said(t *testing.T) string {
	t.Helper()
	line, err := n.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the server said %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// tell has the server take all descriptors there are ("take"), or give them back ("give").
func (n *narrow) tell(t *testing.T, what string) {
	t.Helper()
	fmt.Fprintln(n.in, what)
	if got := n.said(t); got != what {
		t.Fatalf("the server said %q", got)
	}
}

func (n *narrow) talk(t *testing.T) *dialogue {
	d := &dialogue{t: t, where: t.Name(), addr: n.addr}
	d.connect()
	t.Cleanup(d.hangUp)
	return d
}

// TestServerOfFewDescriptors is the server that the tests below start.
func TestServerOfFewDescriptors(t *testing.T) {
	limit, err := strconv.ParseUint(os.Getenv(fewDescriptors), 10, 64)
	if err != nil {
		t.Skip("this is the server of other tests")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		t.Fatal(err)
	}
	fmt.Println(serveOn(t, newServer(t, memory.New(), nil), "127.0.0.1:0"))
	var taken []*os.File
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "take":
			for {
				f, err := os.Open(os.DevNull)
				if err != nil {
					break
				}
				taken = append(taken, f)
			}
		case "give":
			for _, f := range taken {
				f.Close()
			}
			taken = nil
		}
		fmt.Println(in.Text())
	}
}

// A server that is out of descriptors says so to those who come, and answers again when it has
// some.
func TestNewcomersAreToldOfNoDescriptors(t *testing.T) {
	n := startNarrow(t, 64)
	inside := n.talk(t)
	inside.step("login")
	n.tell(t, "take")
	for range 20 {
		d := &dialogue{t: t, where: "out of descriptors", addr: n.addr}
		d.dial()
		d.raw.SetDeadline(time.Now().Add(10 * time.Second))
		d.step("< 421 The server is out of file descriptors; try again later.")
		d.step("closed")
		d.hangUp()
	}
	inside.steps("> NOOP", "<< 200")
	n.tell(t, "give")
	n.talk(t).step("login")
}

// Silent connections that take every descriptor leave nobody hanging.
func TestSilentConnectionsLeaveNobodyHanging(t *testing.T) {
	n := startNarrow(t, 64)
	var refused int
	var silent []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		switch {
		case strings.HasPrefix(line, "220 "):
			silent = append(silent, conn)
		case strings.HasPrefix(line, "421 "):
			refused++
		default:
			t.Fatalf("connection %d hears %q, %v", len(silent)+refused, line, err)
		}
	}
	if refused == 0 || len(silent) < 30 {
		t.Errorf("%d sessions, %d refused", len(silent), refused)
	}
	for _, conn := range silent {
		conn.Close()
	}
}

// Who is inside is told the true reason when there are no descriptors for a data connection.
func TestNoDescriptorsForADataConnection(t *testing.T) {
	const why = "The server is out of file descriptors; try again later."
	n := startNarrow(t, 64)
	d := n.talk(t)
	d.step("login")
	n.tell(t, "take")
	d.steps("> EPSV", "< 425 "+why, "> PASV", "< 425 "+why)
	n.tell(t, "give")
	d.step("active")
	n.tell(t, "take")
	d.steps("> LIST", "<< 150", "< 425 "+why)
	n.tell(t, "give")
	for _, wait := range []time.Duration{0, 100 * time.Millisecond} { // before and after the port is looked at by itself
		_, rest, _ := strings.Cut(d.command("EPSV", "229"), "(|||")
		port, _, _ := strings.Cut(rest, "|")
		n.tell(t, "take")
		data, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(wait)
		d.write("LIST\r\n")
		reply := d.line()
		if strings.HasPrefix(reply, "150 ") {
			reply = d.line()
		}
		if reply != "425 "+why {
			t.Errorf("after %v: %q", wait, reply)
		}
		data.Close()
		n.tell(t, "give")
	}
	d.steps("passive", "> LIST", "<< 150", "recv ", "<< 226")
}
