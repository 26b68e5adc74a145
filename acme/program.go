package acme

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/libdns/libdns"
)

// NewProgram returns a Provider that has a program change records: it is called with "present" or
// "cleanup", the whole name of a TXT record and its value, behind arguments of its own.
func NewProgram(command []string) Provider { return program(command) }

type program []string

const (
	programTime = 2 * time.Minute // for one call
	tailOfError = 512             // bytes of what it writes that an error has
)

// AppendRecords implements Provider.
func (p program) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, p.each(ctx, "present", zone, records)
}

// DeleteRecords implements Provider.
func (p program) DeleteRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	return records, p.each(ctx, "cleanup", zone, records)
}

func (p program) each(ctx context.Context, verb, zone string, records []libdns.Record) error {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	for _, r := range textRecords(zone, records) {
		cmd := exec.CommandContext(ctx, p[0], append(p[1:len(p):len(p)], verb, r.name, r.value)...)
		cmd.WaitDelay = time.Second // for what it has started and left
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s %s: %w%s", p[0], verb, r.name, err, lastOf(out))
		}
	}
	return nil
}

// lastOf returns the end of what a program has written, on one line.
func lastOf(out []byte) string {
	out = bytes.TrimSpace(out)
	if len(out) == 0 {
		return ""
	}
	out = out[max(0, len(out)-tailOfError):]
	return ": " + strings.Join(strings.Fields(strings.ToValidUTF8(string(out), "?")), " ")
}
