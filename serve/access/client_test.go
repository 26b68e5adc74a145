package access_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"

	"ferry/ftp"
)

// client is a client of a real server.
type client struct {
	t    testing.TB
	conn *textproto.Conn
	host string
}

// dial starts a server of tree and logs in.
func dial(t testing.TB, tree ftp.FS) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &ftp.Server{Backend: ftp.SingleUser("u", "p", tree), Log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- srv.Serve(ctx, l) }()
	conn, err := textproto.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		stop()
		srv.Close()
		<-done
	})
	c := &client{t: t, conn: conn, host: "127.0.0.1"}
	c.reply()
	c.do("USER u")
	c.do("PASS p")
	c.do("TYPE I")
	return c
}

// reply returns the code and text of a reply.
func (c *client) reply() (code int, text string) {
	c.t.Helper()
	code, text, err := c.conn.ReadResponse(0)
	if code == 0 {
		c.t.Fatal(err)
	}
	return code, text
}

func (c *client) do(command string) (code int, text string) {
	c.t.Helper()
	if err := c.conn.PrintfLine("%s", command); err != nil {
		c.t.Fatal(err)
	}
	return c.reply()
}

// transfer runs a command with a data connection, over which it sends body, or receives if that is
// nil.
func (c *client) transfer(command string, body []byte) (code int, text, got string) {
	c.t.Helper()
	_, text = c.do("EPSV")
	var port int
	if _, err := fmt.Sscanf(text[strings.Index(text, "|||"):], "|||%d|", &port); err != nil {
		c.t.Fatal(text)
	}
	data, err := net.Dial("tcp", net.JoinHostPort(c.host, strconv.Itoa(port)))
	if err != nil {
		c.t.Fatal(err)
	}
	defer data.Close()
	if code, text = c.do(command); code != 150 {
		return code, text, ""
	}
	if body != nil {
		_, _ = data.Write(body)
		data.Close()
	} else {
		all, _ := io.ReadAll(data)
		got = string(all)
	}
	code, text = c.reply()
	return code, text, got
}

// script sends commands and compares the replies. "LIST d = a b" compares the names in a listing,
// "SEND <command>" and "GET <command>" transfer a little.
func (c *client) script(lines string) {
	c.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		command, want, _ := strings.Cut(strings.TrimSpace(line), " > ")
		var got string
		switch word, rest, _ := strings.Cut(command, " "); word {
		case "SEND":
			code, text, _ := c.transfer(rest, []byte("text"))
			got = fmt.Sprint(code, " ", text)
		case "GET":
			code, text, body := c.transfer(rest, nil)
			got = fmt.Sprint(code, " ", text)
			if code == 226 {
				got = fmt.Sprint(code, " ", strings.Join(strings.Fields(body), " "))
			}
		default:
			code, text := c.do(command)
			got = fmt.Sprint(code, " ", text)
		}
		if !strings.HasPrefix(got, want) {
			c.t.Errorf("%s: %s\nwant %s", command, got, want)
		}
	}
}
