package network_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"testing"

	"ferry/remote/network"
)

func TestPlain(t *testing.T) {
	refused := errors.New("connection refused")
	for want, err := range map[string]error{
		"host: unexpected EOF": &url.Error{Op: "Get", URL: "https://host/secret", Err: io.EOF},
		"host: lost":           errors.New("lost"),
		"host cannot be reached, check the network and the option endpoint: dial tcp: connection refused": &url.Error{
			Op: "Get", URL: "https://host/secret", Err: &net.OpError{Op: "dial", Net: "tcp", Err: refused},
		},
	} {
		got := network.Plain("host", "the option endpoint", err)
		if got.Error() != want {
			t.Errorf("%q, want %q", got, want)
		}
		if want[len(want)-1] == 'd' && !errors.Is(got, refused) {
			t.Errorf("%q does not hold its cause", got)
		}
	}
	if err := network.Plain("host", "", io.EOF); errors.Is(err, io.EOF) {
		t.Error("the end of a connection is taken for that of a file")
	}
}
