// Package proxyheader reads the headers of the PROXY protocol, versions 1 and 2, with which load
// balancers tell who their client is.
package proxyheader

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/pires/go-proxyproto"

	"ferry/ftp"
)

// Networks are those of the proxies.
type Networks []netip.Prefix

var _ ftp.Proxies = Networks(nil)

// Include implements ftp.Proxies.
func (n Networks) Include(peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(n, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// ReadHeader implements ftp.Proxies. It reads the header and not a byte more, so that what is
// behind it stays in the kernel.
func (n Networks) ReadHeader(r io.Reader) (client, server netip.AddrPort, err error) {
	text, err := take(r)
	if err != nil {
		return client, server, fmt.Errorf("reading the PROXY header: %w", err)
	}
	h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return client, server, fmt.Errorf("PROXY header: %w", err)
	}
	from, to, ok := h.TCPAddrs()
	if h.Command.IsLocal() || h.TransportProtocol == proxyproto.UNSPEC {
		return client, server, nil // the proxy speaks for itself
	}
	if !ok {
		return client, server, errNotTCP
	}
	return unmap(from.AddrPort()), unmap(to.AddrPort()), nil
}

var (
	errNoHeader = errors.New("there is none: the proxy has to send it (haproxy: send-proxy-v2)")
	errNotTCP   = errors.New("it is not about a TCP connection")
	errTooLong  = errors.New("it is too long")
)

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

const (
	prefixV2 = 16      // bytes of version 2, the last two of which are the length of the rest
	maxV1    = 107     // bytes of a line of version 1, with its end
	maxV2    = 4 << 10 // more than that no proxy adds to the addresses
)

// take reads a whole header.
func take(r io.Reader) ([]byte, error) {
	text := make([]byte, 1, maxV1)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	switch text[0] {
	case proxyproto.SIGV1[0]:
		return takeLine(r, text)
	case proxyproto.SIGV2[0]:
		return takeBlock(r, text)
	}
	return nil, errNoHeader
}

// takeLine reads the rest of a line, byte by byte: it is short, and its end unknown.
func takeLine(r io.Reader, text []byte) ([]byte, error) {
	for len(text) < maxV1 {
		if n := len(text); n <= len(proxyproto.SIGV1) && !bytes.HasPrefix(proxyproto.SIGV1, text) {
			return nil, errNoHeader
		}
		text = append(text, 0)
		if _, err := io.ReadFull(r, text[len(text)-1:]); err != nil {
			return nil, err
		}
		if text[len(text)-1] == '\n' {
			return text, nil
		}
	}
	return nil, errTooLong
}

// takeBlock reads the rest of a header of version 2.
func takeBlock(r io.Reader, text []byte) ([]byte, error) {
	text = text[:prefixV2]
	if _, err := io.ReadFull(r, text[1:]); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(text, proxyproto.SIGV2) {
		return nil, errNoHeader
	}
	rest := binary.BigEndian.Uint16(text[prefixV2-2:])
	if rest > maxV2 {
		return nil, errTooLong
	}
	text = append(text, make([]byte, rest)...)
	_, err := io.ReadFull(r, text[prefixV2:])
	return text, err
}
