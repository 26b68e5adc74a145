package ftp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ferry/remote/driver/ftp"
)

// A fake is a server of a few commands that goes wrong on demand.
type fake struct {
	l   net.Listener
	all sync.WaitGroup

	mu       sync.Mutex
	files    map[string]string // guarded by mu
	sessions int               // guarded by mu
	conn     []net.Conn        // every one that was accepted; guarded by mu
	hang     string            // a command that is never answered; guarded by mu
	hung     func()            // called when it has come; nil = nobody wants to know; guarded by mu

	// constant while it runs
	retr  func(data net.Conn, content string) (reply string) // nil = as it should be
	stor  func(content string) (stored, reply string)        // nil = as it should be
	pass  string                                             // the reply to PASS; "" = 230
	keep  bool                                               // RNTO replaces nothing
	line  func(i int) string                                 // what LIST and MLSD send for ever
	list  string                                             // what LIST and MLSD send; "" = they are refused
	old   bool                                               // there is no MLSD
	flood string                                             // a command, or "" and the greeting, that is answered without end; "no" = none
	lines string                                             // what it is answered with

	cut  func(verb, arg string) (before, after bool) // the connection, in place of an answer; nil = never
	ends []error                                     // of data connections, nil for orderly ones; guarded by mu
}

func (f *fake) start(t *testing.T) ftp.Options {
	t.Helper()
	var err error
	if f.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if f.files == nil {
		f.files = map[string]string{}
	}
	f.all.Go(func() {
		for {
			c, err := f.l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.sessions++
			f.conn = append(f.conn, c)
			f.mu.Unlock()
			f.all.Go(func() {
				defer c.Close()
				f.session(c)
			})
		}
	})
	t.Cleanup(func() {
		f.l.Close()
		f.mu.Lock()
		for _, c := range f.conn {
			c.Close()
		}
		f.mu.Unlock()
		f.all.Wait()
	})
	return optionsFor(t, f.l.Addr().String(), "bob", testPassword)
}

func (f *fake) content(name string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, ok := f.files[name]
	return content, ok
}

func (f *fake) hangs(verb string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if verb == f.hang && f.hung != nil {
		f.hung()
	}
	return verb == f.hang
}

// hangAt has the server not answer a command, and returns a context that ends when that has come.
func (f *fake) hangAt(ctx context.Context, verb string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang, f.hung = verb, cancel
	return ctx, cancel
}

func (f *fake) names() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.files {
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// session answers commands until the connection ends.
func (f *fake) session(c net.Conn) {
	in := bufio.NewReader(c)
	var passive net.Listener
	defer func() {
		if passive != nil {
			passive.Close()
		}
	}()
	from := ""
	reply := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	if f.lines != "" && f.flood == "" {
		f.pour(c)
		return
	}
	reply("220 ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if f.hangs(verb) {
			_, _ = in.ReadString('\n') // until the client gives up
			return
		}
		if f.cuts(verb, arg, from) {
			return
		}
		if f.lines != "" && f.flood == verb {
			f.pour(c)
			return
		}
		switch verb {
		case "EPSV":
			if passive != nil {
				passive.Close()
			}
			if passive, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			reply("229 (|||%d|)", passive.Addr().(*net.TCPAddr).Port)
		case "RETR", "STOR", "LIST", "MLSD":
			if passive == nil || f.list == "" && (verb == "LIST" || verb == "MLSD") {
				reply("502 no")
				continue
			}
			reply("150 here")
			data, err := passive.Accept()
			if err != nil {
				return
			}
			reply("%s", f.transfer(data, verb, arg))
		case "RNFR":
			from = arg
			reply("350 go on")
		default:
			reply("%s", f.answer(verb, arg, from))
		}
	}
}

// cuts reports whether the connection ends at a command, and does before what the command asks for
// where it ends after.
func (f *fake) cuts(verb, arg, from string) bool {
	if f.cut == nil {
		return false
	}
	before, after := f.cut(verb, arg)
	if after && !before {
		f.answer(verb, arg, from)
	}
	return before || after
}

// transfer does what a command does over its data connection, and returns the reply.
func (f *fake) transfer(data net.Conn, verb, arg string) string {
	switch verb {
	case "RETR":
		return f.send(data, arg)
	case "STOR":
		return f.receive(data, arg)
	}
	_, err := io.WriteString(data, f.list)
	for i := 0; f.line != nil && err == nil; i++ {
		_, err = io.WriteString(data, f.line(i))
	}
	data.Close()
	return "226 done"
}

// pour sends much more than any reply is long.
func (f *fake) pour(c net.Conn) {
	chunk := []byte(strings.Repeat(f.lines, 1+(64<<10)/len(f.lines)))
	for range 1024 {
		if _, err := c.Write(chunk); err != nil {
			return
		}
	}
}

func (f *fake) send(data net.Conn, name string) string {
	defer data.Close()
	content, _ := f.content(name)
	if f.retr != nil {
		return f.retr(data, content)
	}
	_, _ = io.WriteString(data, content)
	return "226 done"
}

func (f *fake) receive(data net.Conn, name string) string {
	b, err := io.ReadAll(data)
	data.Close()
	f.mu.Lock()
	f.ends = append(f.ends, err)
	f.mu.Unlock()
	content, reply := string(b), "226 done"
	if f.stor != nil {
		content, reply = f.stor(content)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[name] = content
	return reply
}

// answer is for the commands that need no data connection.
func (f *fake) answer(verb, arg, from string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, there := f.files[arg]
	switch verb {
	case "USER":
		return "331 password"
	case "PASS":
		if f.pass != "" {
			return f.pass
		}
		return "230 in"
	case "CWD":
		return "250 fine"
	case "FEAT":
		if f.old {
			return "502 no"
		}
		return "211-Features:\r\n MLST type*;size*;\r\n211 End"
	case "PWD":
		return `257 "/"`
	case "TYPE", "NOOP":
		return "200 fine"
	case "SIZE":
		if there {
			return "213 " + strconv.Itoa(len(content))
		}
	case "MLST":
		if arg == "/" {
			return "250-here\r\n type=dir; /\r\n250 End"
		}
		if there {
			return fmt.Sprintf("250-here\r\n type=file;size=%d; %s\r\n250 End", len(content), arg)
		}
	case "DELE":
		if there {
			delete(f.files, arg)
			return "250 gone"
		}
	case "RNTO":
		if there && f.keep {
			return "553 it exists"
		}
		f.files[arg] = f.files[from]
		delete(f.files, from)
		return "250 renamed"
	default:
		return "502 no"
	}
	return "550 no"
}
