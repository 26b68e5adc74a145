package config

import (
	"errors"
	"strconv"
	"strings"
)

// Ports is a range of TCP ports, inclusive on both ends. The zero value means any port.
type Ports struct {
	First, Last uint16
}

// ParsePorts reads "30000-32000", a single port, or 0 for any port. Spaces are ignored.
func ParsePorts(s string) (Ports, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, errA := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	switch {
	case errA != nil || errB != nil || isRange && (a == 0 || b == 0):
		return Ports{}, errors.New("not a port range: use two ports from 1 to 65535 (30000-32000), one port, or 0 for any")
	case a > b:
		return Ports{}, errors.New("the port range ends before it begins: the smaller port comes first")
	}
	return Ports{First: uint16(a), Last: uint16(b)}, nil
}

func (p Ports) String() string {
	first := strconv.Itoa(int(p.First))
	if p.First == p.Last {
		return first
	}
	return first + "-" + strconv.Itoa(int(p.Last))
}
