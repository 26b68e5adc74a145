package ftp

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// listing returns the lines that come out of text, and the error behind them.
func listing(text string, most int) (got []string, err error) {
	server, client := net.Pipe()
	defer client.Close()
	go func() {
		_, _ = io.WriteString(server, text) // the reader may have had enough
		server.Close()
	}()
	_, err = newLines(client, func(line string, whole bool) bool {
		if !whole {
			line = fmt.Sprint("too long: ", len(line))
		}
		got = append(got, line)
		return len(got) < most
	}).Read(nil)
	return got, err
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 3*maxLine) + "\r\n"
	for _, c := range []struct {
		text string
		want []string
		err  error
	}{
		{"", nil, io.EOF},
		{"a\r\nb\n\r\nc d \r\n", []string{"a", "b", "c d "}, io.EOF},
		{"a\r\n" + long + "b\r\n", []string{"a", "too long: 8192", "b"}, io.EOF},
		{"a\r\nb", []string{"a"}, io.ErrUnexpectedEOF},
	} {
		if got, err := listing(c.text, 10); !slices.Equal(got, c.want) || err != c.err {
			t.Errorf("%d bytes give %q, %v", len(c.text), got, err)
		}
	}
	if got, err := listing("a\r\nb\r\nc\r\n", 2); len(got) != 2 || err != io.EOF {
		t.Errorf("stopped: %q, %v", got, err)
	}
}
