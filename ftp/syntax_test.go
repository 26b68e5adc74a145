package ftp

import (
	"math"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int64
		want  int64
		ok    bool
	}{
		{"0", 0, 0, true},
		{"007", 7, 7, true},
		{"255", 255, 255, true},
		{"256", 255, 0, false},
		{"9", 7, 0, false},
		{"9223372036854775807", math.MaxInt64, math.MaxInt64, true},
		{"9223372036854775808", math.MaxInt64, 0, false},
		{"99999999999999999999", math.MaxInt64, 0, false},
		{"", 255, 0, false},
		{"+1", 255, 0, false},
		{"-1", 255, 0, false},
		{" 1", 255, 0, false},
		{"1x", 255, 0, false},
		{"0x1", 255, 0, false},
	} {
		got, ok := parseDecimal(tt.in, tt.limit)
		if got != tt.want || ok != tt.ok {
			t.Errorf("parseDecimal(%q, %d) = %d, %t; want %d, %t", tt.in, tt.limit, got, ok, tt.want, tt.ok)
		}
	}
}
