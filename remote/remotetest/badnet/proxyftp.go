package badnet

import (
	"net"
	"regexp"
	"strconv"
)

// epsvReply is what an FTP server says of the port that it listens on for a data connection (RFC
// 2428).
var epsvReply = regexp.MustCompile(`229 [^\r\n]*\(\|\|\|(\d+)\|\)`)

// announce returns what a control connection says to its client, with the ports of data connections
// replaced by ports that this proxy listens on. A reply is written at once, and so read at once.
func (c *proxied) announce(text []byte) []byte {
	at := epsvReply.FindSubmatchIndex(text)
	if at == nil {
		return text
	}
	host, _, err := net.SplitHostPort(c.p.target)
	if err != nil {
		return text
	}
	port, err := c.p.relay(net.JoinHostPort(host, string(text[at[2]:at[3]])))
	if err != nil {
		return text
	}
	said := append([]byte{}, text[:at[2]]...)
	said = strconv.AppendInt(said, int64(port), 10)
	return append(said, text[at[3]:]...)
}

// relay listens for one connection, which it passes on to target. Whoever does not come is waited
// for until the proxy ends.
func (p *Proxy) relay(target string) (port int, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	refuse := p.refuse
	p.relays = append(p.relays, ln)
	p.mu.Unlock()
	if refuse { // it may be ending
		ln.Close()
		return 0, net.ErrClosed
	}
	p.wg.Go(func() {
		client, err := ln.Accept()
		ln.Close()
		if err == nil {
			p.serve(client.(*net.TCPConn), target, false)
		}
	})
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// endRelays ends those that are waiting.
func (p *Proxy) endRelays() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ln := range p.relays {
		ln.Close()
	}
}
