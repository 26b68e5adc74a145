package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A metric is one figure of a row.
type metric struct {
	unit   string
	digits int
	higher bool    // more is better
	aim    float64 // what ferry wants to reach; 0 = nothing is said
}

// results collects what was measured.
type results struct {
	rows   []row
	values map[cell][]float64 // one for each round
	errs   map[[2]string]string
	calls  []calls
	notes  []string // rows that were left out, and why
}

// A row is a line of the table: one metric of one workload.
type row struct {
	workload string
	title    string
	metric   metric
	index    int
	point    point
}

// A point says where a row belongs in a curve; without one it is zero.
type point struct {
	curve, over string
	x           int
}

// A cell is one server's figure in a row.
type cell struct {
	workload string
	index    int
	server   string
}

func newResults() *results {
	return &results{values: make(map[cell][]float64), errs: make(map[[2]string]string)}
}

// add records one round. A workload that failed once has no figures for that server.
func (r *results) add(rows []row, server string, values []float64, err error) {
	for _, row := range rows {
		if !slices.Contains(r.rows, row) {
			r.rows = append(r.rows, row)
		}
		if err != nil {
			r.errs[[2]string{row.workload, server}] = err.Error()
			continue
		}
		key := cell{row.workload, row.index, server}
		r.values[key] = append(r.values[key], values[row.index])
	}
}

// figure is the median over the rounds.
func (r *results) figure(row row, server string) (float64, bool) {
	values := r.values[cell{row.workload, row.index, server}]
	if len(values) == 0 || r.errs[[2]string{row.workload, server}] != "" {
		return 0, false
	}
	return median(values), true
}

// best is the peer, a server other than us, with the best figure in a row.
func (r *results) best(row row, us string, servers []string) (name string, value float64) {
	for _, s := range servers {
		v, ok := r.figure(row, s)
		if s == us || !ok {
			continue
		}
		if name == "" || (row.metric.higher && v > value) || (!row.metric.higher && v < value) {
			name, value = s, v
		}
	}
	return name, value
}

// table is the Markdown table with a column for each server, and a last one that sets us beside the
// best of the others. The aims have a column where there are any.
func (r *results) table(us string, servers []string) string {
	var w strings.Builder
	aims := slices.ContainsFunc(r.rows, func(row row) bool { return row.metric.aim != 0 })
	head := ""
	if aims {
		head = "aim | "
	}
	fmt.Fprintf(&w, "| work | unit | %s%s | %s to the best peer |\n", head, strings.Join(servers, " | "), us)
	fmt.Fprintf(&w, "|---|---|%s---|\n", strings.Repeat("---:|", len(servers)+strings.Count(head, "|")))
	for i, row := range r.rows {
		title := row.title
		if i > 0 && r.rows[i-1].title == title {
			title = ""
		}
		fmt.Fprintf(&w, "| %s | %s |", title, row.metric.unit)
		switch {
		case aims && row.metric.aim != 0:
			fmt.Fprintf(&w, " %s |", number(row.metric.aim, row.metric.digits))
		case aims:
			w.WriteString(" |")
		}
		for _, s := range servers {
			if v, ok := r.figure(row, s); ok {
				fmt.Fprintf(&w, " %s |", number(v, row.metric.digits))
			} else {
				w.WriteString(" - |")
			}
		}
		fmt.Fprintf(&w, " %s |\n", r.ratio(row, us, servers))
	}
	return w.String()
}

// ratio is above 1 where we are better than the best peer, whether the metric is a rate or a cost.
func (r *results) ratio(row row, us string, servers []string) string {
	name, peer := r.best(row, us, servers)
	own, ok := r.figure(row, us)
	if !ok || name == "" || own <= 0 || peer <= 0 {
		return "-"
	}
	x := peer / own
	if row.metric.higher {
		x = own / peer
	}
	return fmt.Sprintf("%.2f (%s)", x, name)
}

// failures lists the workloads that servers could not do, with what they answered.
func (r *results) failures() []string {
	var lines []string
	for key, reason := range r.errs {
		lines = append(lines, fmt.Sprintf("%s, %s: %s", key[1], key[0], strings.Join(strings.Fields(reason), " ")))
	}
	slices.Sort(lines)
	return lines
}

// median of a list that is not empty.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// percentile of a list that is not empty: the smallest value that a part p of them does not exceed.
func percentile(values []float64, p float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[max(int(math.Ceil(p*float64(len(v))))-1, 0)]
}

// number prints with a separator between thousands.
func number(v float64, digits int) string {
	text := fmt.Sprintf("%.*f", digits, v)
	whole, frac, found := strings.Cut(text, ".")
	sign, whole := whole[:len(whole)-len(strings.TrimPrefix(whole, "-"))], strings.TrimPrefix(whole, "-")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		return sign + whole + "." + frac
	}
	return sign + whole
}

func thousands(n int) string { return number(float64(n), 0) }

// counted is "1 session", "1,000 sessions".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// sizeText prints a size in the largest binary unit that divides it.
func sizeText(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
