package ftp

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	utc := func(year int, month time.Month, day, hour, minute, second, nanos int) time.Time {
		return time.Date(year, month, day, hour, minute, second, nanos, time.UTC)
	}
	for _, tt := range []struct {
		in   string
		want time.Time
	}{
		{"20240102030405", utc(2024, 1, 2, 3, 4, 5, 0)},
		{"20240102030405.678", utc(2024, 1, 2, 3, 4, 5, 678e6)},
		{"20240102030405.6", utc(2024, 1, 2, 3, 4, 5, 600e6)},
		{"20240102030405.1234567899", utc(2024, 1, 2, 3, 4, 5, 123456789)},
		{"00000101000000", utc(0, 1, 1, 0, 0, 0, 0)},
		{"99991231235959", utc(9999, 12, 31, 23, 59, 59, 0)},
		{"20240229000000", utc(2024, 2, 29, 0, 0, 0, 0)},
		{"20161231235960", utc(2016, 12, 31, 23, 59, 59, 0)},
	} {
		if got, err := parseTime(tt.in); err != nil || !got.Equal(tt.want) {
			t.Errorf("parseTime(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"", "2024", "202401020304", "2024010203040", "202401020304055", "20240102030405.", "20240102030405.x",
		"20240102030405+0100", "20240102030405Z", " 20240102030405", "20240002030405", "20241302030405",
		"20240100030405", "20240132030405", "20230229000000", "20240431000000", "20240102240000", "20240102036005",
		"20240102030461", "2024-102030405", "19100102030405.-1",
	} {
		if got, err := parseTime(in); err == nil {
			t.Errorf("parseTime(%q) = %v; want an error", in, got)
		}
	}
}

func TestAppendTime(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	for _, tt := range []struct {
		in   time.Time
		want string
	}{
		{time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), "20240102030405"},
		{time.Date(2024, 1, 2, 3, 4, 5, 678e6, time.UTC), "20240102030405.678"},
		{time.Date(2024, 1, 2, 3, 4, 5, 7e6, time.UTC), "20240102030405.007"},
		{time.Date(2024, 1, 2, 3, 4, 5, 999999, time.UTC), "20240102030405"},
		{time.Date(2024, 1, 1, 1, 0, 0, 0, east), "20231231230000"},
		{time.Date(33, 1, 1, 0, 0, 0, 0, time.UTC), "00330101000000"},
	} {
		if got := string(appendTime(nil, tt.in)); got != tt.want {
			t.Errorf("appendTime(%v) = %s; want %s", tt.in, got, tt.want)
		}
	}
}

func TestSplitMDTM(t *testing.T) {
	stamp := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		arg, path string
		isSet     bool
	}{
		{"20240102030405 name", "name", true},
		{"20240102030405  a b ", " a b ", true},
		{"20240102030405.000 name", "name", true},
		{"20240102030405", "20240102030405", false},
		{"20240102030405 ", "20240102030405 ", false},
		{"20249902030405 name", "20249902030405 name", false},
		{"2024 name", "2024 name", false},
		{"a file", "a file", false},
		{"", "", false},
	} {
		when, path, isSet := splitMDTM(tt.arg)
		if path != tt.path || isSet != tt.isSet || isSet && !when.Equal(stamp) {
			t.Errorf("MDTM %s: %v, %q, %t; want %q, %t", tt.arg, when, path, isSet, tt.path, tt.isSet)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("20240102030405.678")
	f.Add("20161231235960")
	f.Fuzz(func(t *testing.T, s string) {
		when, err := parseTime(s)
		if err != nil {
			return
		}
		if hasTimeval(when) == when.IsZero() {
			t.Fatalf("parseTime(%q) = %v, which cannot be written", s, when)
		}
		text := string(appendTime(nil, when))
		again, err := parseTime(text)
		if err != nil || !again.Equal(when.Truncate(time.Millisecond)) {
			t.Fatalf("parseTime(%q) = %v, but %q reads as %v, %v", s, when, text, again, err)
		}
		if second := s[12:14]; second != "60" && text[:timeLayoutLen] != s[:timeLayoutLen] {
			t.Fatalf("%q is written as %q", s, text)
		}
	})
}
