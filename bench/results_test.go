package main

import (
	"errors"
	"strings"
	"testing"
)

func TestTableSetsUsBesideTheBestPeer(t *testing.T) {
	rows := []row{
		{"up", "files up", metric{unit: "files/s", higher: true}, 0, point{}},
		{"up", "files up", metric{unit: "CPU ms/file", digits: 3}, 1, point{}},
	}
	res := newResults()
	for _, round := range [][]float64{{900, 0.3}, {1000, 0.2}, {5000, 0.1}} {
		res.add(rows, "us", round, nil)
	}
	res.add(rows, "fast", []float64{1250, 0.1}, nil)
	res.add(rows, "slow", []float64{10, 9}, nil)
	res.add(rows, "broken", nil, errors.New("550 no"))
	want := strings.Join([]string{
		"| work | unit | us | fast | slow | broken | us to the best peer |",
		"|---|---|---:|---:|---:|---:|---|",
		"| files up | files/s | 1,000 | 1,250 | 10 | - | 0.80 (fast) |",
		"|  | CPU ms/file | 0.200 | 0.100 | 9.000 | - | 0.50 (fast) |",
		"",
	}, "\n")
	if got := res.table("us", []string{"us", "fast", "slow", "broken"}); got != want {
		t.Errorf("table:\n%s\nwant:\n%s", got, want)
	}
	if got := res.failures(); len(got) != 1 || got[0] != "broken, up: 550 no" {
		t.Errorf("failures: %q", got)
	}
}

func TestTableShowsAims(t *testing.T) {
	res := newResults()
	res.add([]row{
		{"up", "files up", metric{unit: "s", digits: 1, aim: 2.5}, 0, point{}},
		{"up", "files up", metric{unit: "requests"}, 1, point{}},
	}, "us", []float64{2, 3}, nil)
	want := strings.Join([]string{
		"| work | unit | aim | us | us to the best peer |",
		"|---|---|---:|---:|---|",
		"| files up | s | 2.5 | 2.0 | - |",
		"|  | requests | | 3 | - |",
		"",
	}, "\n")
	if got := res.table("us", []string{"us"}); got != want {
		t.Errorf("table:\n%s\nwant:\n%s", got, want)
	}
}

// One failure is enough: a median over the rounds that happened to work would flatter.
func TestFailedOnceHasNoFigure(t *testing.T) {
	r := row{"list", "LIST", metric{unit: "ms"}, 0, point{}}
	res := newResults()
	res.add([]row{r}, "a", []float64{1}, nil)
	res.add([]row{r}, "a", nil, errors.New("cut"))
	if v, ok := res.figure(r, "a"); ok {
		t.Errorf("figure %v after a failure", v)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{9, 1}, 5}, {[]float64{3, 100, 1}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{{0.256, 2, "0.26"}, {999, 0, "999"}, {1234567.8, 1, "1,234,567.8"}, {-1000, 0, "-1,000"}, {-5.25, 1, "-5.2"}} {
		if got := number(c.v, c.digits); got != c.want {
			t.Errorf("number(%v, %d) = %q, want %q", c.v, c.digits, got, c.want)
		}
	}
	for n, want := range map[int64]string{1 << 30: "1 GiB", 128 << 20: "128 MiB", 4096: "4 KiB", 5000: "5000 bytes"} {
		if got := sizeText(n); got != want {
			t.Errorf("sizeText(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestReplaceBetweenMarkers(t *testing.T) {
	tableBegin, tableEnd := marker("s", "begin"), marker("s", "end")
	text := "before\n" + tableBegin + "old\n" + tableEnd + "after\n"
	got, err := between(text, "s", "new\n")
	want := "before\n" + tableBegin + "\nnew\n\n" + tableEnd + "after\n"
	if err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, bad := range []string{"", tableBegin, tableEnd + tableBegin, marker("t", "begin") + marker("t", "end")} {
		if got, err := between(bad, "s", "x"); err == nil {
			t.Errorf("between(%q) = %q without an error", bad, got)
		}
	}
}

const summary = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 41.18    0.000700           3       200           write
 30.00    0.000510           2       250        50 read
  5.00    0.000085          85         1           clone3
------ ----------- ----------- --------- --------- ----------------
100.00    0.001700           3       451        50 total
`

func TestParseSummary(t *testing.T) {
	c, err := parseSummary(summary, 50)
	if err != nil {
		t.Fatal(err)
	}
	if c["write"] != 4 || c["read"] != 5 || c.total() != 9.02 {
		t.Errorf("counts %v", c)
	}
	if got := c.String(); got != "read 5, write 4" {
		t.Errorf("String: %q", got)
	}
	if _, err := parseSummary("strace: Process 1 attached\n", 1); err == nil {
		t.Error("no error for a text without a summary")
	}
}

func TestPercentile(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	for _, c := range []struct {
		values []float64
		p      float64
		want   float64
	}{
		{hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0, 1}, {[]float64{7}, 0.99, 7}, {[]float64{1, 2, 3}, 0.99, 3},
	} {
		if got := percentile(c.values, c.p); got != c.want {
			t.Errorf("%v of %d values: %v; want %v", c.p, len(c.values), got, c.want)
		}
	}
}
