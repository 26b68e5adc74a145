package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func drawn(t *testing.T, in string) string {
	t.Helper()
	var out strings.Builder
	if err := run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return out.String()
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBarsHaveNamesAndValues(t *testing.T) {
	svg := drawn(t, `{"Columns": 2, "Panels": [{"Title": "RETR", "Unit": "GB/s", "Series": [
		{"Name": "ferry", "Points": [[0, 3.21]]}, {"Name": "other", "Points": [[0, 0.5]]}]}]}`)
	for _, want := range []string{">RETR<", ">GB/s<", ">ferry<", ">other<", ">3.21<", ">0.5<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
}

func TestLinesAreOverPowersOfTen(t *testing.T) {
	svg := drawn(t, `{"Columns": 1, "Panels": [{"Title": "CPU", "Unit": "ms", "X": "sessions", "Series": [
		{"Name": "ferry", "Points": [[1, 2], [10, 2.1], [1000, 2.4]]}]}]}`)
	for _, want := range []string{">sessions<", ">1<", ">100<", ">1000<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
}

func TestBadPictures(t *testing.T) {
	for _, in := range []string{
		``, `{}`, `{"Panels": [{"Title": "a"}]}`,
		`{"Columns": 1, "Panels": [{"Series": [{"Name": "a", "Points": []}]}]}`,
		`{"Columns": 1, "Panels": [{"X": "n", "Series": [{"Name": "a", "Points": [[0, 1]]}]}]}`,
	} {
		if err := run(strings.NewReader(in), io.Discard); err == nil {
			t.Errorf("%s: no error", in)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0.1234: "0.123", 12.345: "12.3", 1234: "1234", 12345: "12.3k", 1e6: "1M", 100: "100", 2e7: "20M"} {
		if got := short(v); got != want {
			t.Errorf("%v is %q; want %q", v, got, want)
		}
	}
}
