package ftp

import "math/rand/v2"

// dynamicPorts are the ports without registered services (RFC 6335, section 6): the default for
// passive ports. Port 0 would let the kernel choose, but it avoids every port with a connection in
// TIME-WAIT, and each download leaves one: after some ten thousand downloads within a minute no
// port is left on the whole machine, and the search becomes slow long before. Binding to a port by
// number has neither problem. Some systems also assign ports in sequence, so that the next one is
// easy to guess.
var dynamicPorts = PortRange{First: 49152, Last: 65535}

// usable returns r, or its default.
func (r PortRange) usable() PortRange {
	if r == (PortRange{}) {
		return dynamicPorts
	}
	return PortRange{First: max(r.First, 1), Last: r.Last}
}

// size returns the number of ports in r.
func (r PortRange) size() int {
	r = r.usable()
	return int(r.Last) - int(r.First) + 1
}

// shuffled yields every port of the range once, beginning anywhere: it walks the range in steps
// that have no divisor in common with its size. Nothing is drawn or stored per port.
func (r PortRange) shuffled() func(yield func(uint16) bool) {
	return func(yield func(uint16) bool) {
		size := int(r.Last) - int(r.First) + 1
		if size <= 0 {
			return
		}
		at, step := rand.IntN(size), coprime(size)
		for range size {
			if !yield(r.First + uint16(at)) {
				return
			}
			at = (at + step) % size
		}
	}
}

// coprime draws a number in [1, n] that has no divisor in common with n.
func coprime(n int) int {
	for {
		step := 1 + rand.IntN(n)
		a, b := n, step
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return step
		}
	}
}
