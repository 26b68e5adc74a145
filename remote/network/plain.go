package network

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// Plain returns an error of an HTTP client without the URL, which may hold a secret, as one of
// host. Where that cannot be reached, the error tells to check what is named, as in "the option
// url".
func Plain(host, check string, err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the connection ended before the answer; it is not the end of a file
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return fmt.Errorf("%s cannot be reached, check the network and %s: %w", host, check, err)
	}
	return fmt.Errorf("%s: %w", host, err)
}
