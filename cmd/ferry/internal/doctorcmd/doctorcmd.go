// Package doctorcmd tries what a server needs, and says what to do about what does not work.
//
// The files, in reading order:
//
//	doctorcmd.go   Report: a table of what was tried
//	speed.go       the remote: how long a call takes, how much goes through, what it cannot do
//	clock.go       the clock of the remote
//	disk.go        the disk of the cache
//	machine.go     descriptors, ports
//	address.go     the public address
//	certificate.go the certificate
package doctorcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A State says what came of a trial.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, and something is worth a look
	Failed  State = "FAILED"
	Skipped State = "-" // it was not tried, or there is none
)

// A Row is one trial.
type Row struct {
	Area   string `json:"area"` // configuration, remote, cache ...
	What   string `json:"what"`
	State  State  `json:"state"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"` // what to do
}

// A Report collects rows. Its methods are called by one goroutine.
type Report struct {
	Rows []Row
	Tell func(Row) // is called with each, as it comes; nil = nobody wants to know
}

func (r *Report) add(row Row) {
	row.Detail, row.Remedy = oneLine(row.Detail), oneLine(row.Remedy)
	r.Rows = append(r.Rows, row)
	if r.Tell != nil {
		r.Tell(row)
	}
}

// OK notes what works.
func (r *Report) OK(area, what, format string, args ...any) {
	r.add(Row{Area: area, What: what, State: OK, Detail: fmt.Sprintf(format, args...)})
}

// Skip notes what was not tried, and why.
func (r *Report) Skip(area, what, format string, args ...any) {
	r.add(Row{Area: area, What: what, State: Skipped, Detail: fmt.Sprintf(format, args...)})
}

// Warn notes what works, though not as it might.
func (r *Report) Warn(area, what, remedy, format string, args ...any) {
	r.add(Row{area, what, Warning, fmt.Sprintf(format, args...), remedy})
}

// Fail notes what does not work.
func (r *Report) Fail(area, what, remedy, format string, args ...any) {
	r.add(Row{area, what, Failed, fmt.Sprintf(format, args...), remedy})
}

// Failed is how many rows have failed.
func (r *Report) Failed() int {
	n := 0
	for _, row := range r.Rows {
		if row.State == Failed {
			n++
		}
	}
	return n
}

// Write prints the table, and under each row that is not well what to do.
func (r *Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	area := ""
	for _, row := range r.Rows {
		shown := ""
		if row.Area != area {
			area, shown = row.Area, row.Area
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", shown, row.What, row.State, row.Detail)
		if row.Remedy != "" {
			fmt.Fprintf(t, "\t\t\t  -> %s\n", row.Remedy)
		}
	}
	return t.Flush()
}

// WriteJSON prints an array of rows.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	rows := r.Rows
	if rows == nil {
		rows = []Row{}
	}
	return enc.Encode(rows)
}

// oneLine keeps what others say from being more than one line of a table.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), "; ")
}
