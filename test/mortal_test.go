package test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// A mortal is a client whose server may die at any moment: what goes wrong is an error, and not the
// end of the test. An error that is a *textproto.Error is an answer of the server; anything else
// leaves unknown what became of the command.
type mortal struct {
	host string
	conn net.Conn
	text *textproto.Conn
}

// loginMortal connects and logs bob in.
func loginMortal(addr string) (*mortal, error) { return loginMortalAs(addr, "bob") }

// loginMortalAs connects and logs a user in.
func loginMortalAs(addr, user string) (*mortal, error) {
	conn, err := dial("", addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	m := &mortal{host: host, conn: conn, text: textproto.NewConn(conn)}
	_, _, err = m.text.ReadResponse(220)
	for _, step := range []struct {
		line string
		code int
	}{{"USER " + user, 331}, {"PASS builder", 230}, {"TYPE I", 200}} {
		if err == nil {
			_, err = m.do(step.line, step.code)
		}
	}
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *mortal) close() { m.text.Close() }

// do sends a command; the reply must have the code.
func (m *mortal) do(line string, code int) (string, error) {
	if err := m.conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return "", err
	}
	if err := m.text.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, reply, err := m.text.ReadResponse(code)
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) {
		if answer.Code == 421 {
			return "", fmt.Errorf("the server is going: %s", answer.Msg)
		}
		return "", fmt.Errorf("%s: %w", line, err)
	}
	return reply, err
}

// size returns the length of what the user has under a name, 0 where there is nothing.
func (m *mortal) size(name string) (int, error) {
	reply, err := m.do("SIZE "+name, 213)
	if code(err) == 550 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(reply))
}

// data opens a data connection.
func (m *mortal) data() (net.Conn, error) {
	reply, err := m.do("EPSV", 229)
	if err != nil {
		return nil, err
	}
	port := epsvPort.FindStringSubmatch(reply)
	if port == nil {
		return nil, fmt.Errorf("no port in %q", reply)
	}
	return dial("", net.JoinHostPort(m.host, port[1]))
}

// send is STOR or APPE of a whole file. It is nil after 226.
func (m *mortal) send(command string, body []byte) error {
	data, err := m.begin(command)
	if err != nil {
		return err
	}
	return m.finish(data, body)
}

// begin begins an upload.
func (m *mortal) begin(command string) (net.Conn, error) {
	data, err := m.data()
	if err != nil {
		return nil, err
	}
	if _, err := m.do(command, 150); err != nil {
		data.Close()
		return nil, err
	}
	return data, nil
}

// finish sends the rest of an upload. It is nil after 226.
func (m *mortal) finish(data net.Conn, body []byte) error {
	defer data.Close()
	if _, err := data.Write(body); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	_, _, err := m.text.ReadResponse(226)
	return err
}

// fetch returns the content of a file, nil where there is none.
func (m *mortal) fetch(name string) (*string, error) {
	data, err := m.data()
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if _, err := m.do("RETR "+name, 150); code(err) == 550 {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(data)
	if _, _, err := m.text.ReadResponse(226); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	content := string(body)
	return &content, nil
}

// code is that of the answer that err is, 0 where it is none.
func code(err error) int {
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}
