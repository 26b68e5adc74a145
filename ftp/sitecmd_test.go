package ftp

import (
	"errors"
	"io/fs"
	"testing"
	"time"
)

func TestParseChmod(t *testing.T) {
	for _, tt := range []struct {
		arg  string
		perm fs.FileMode
		path string // "" = refused
	}{
		{"644 name with spaces", 0o644, "name with spaces"},
		{"0755 dir", 0o755, "dir"},
		{"000  x ", 0, " x "},
		{"777 644", 0o777, "644"},
		{"4755 name", 0, ""},
		{"1777 name", 0, ""},
		{"888 name", 0, ""},
		{"64 name", 0, ""},
		{"00644 name", 0, ""},
		{"u+x name", 0, ""},
		{"+44 name", 0, ""},
		{"644", 0, ""},
		{"644 ", 0, ""},
		{"", 0, ""},
	} {
		perm, path, err := parseChmod(tt.arg)
		if perm != tt.perm || path != tt.path || (tt.path == "") != errors.Is(err, errSyntax) {
			t.Errorf("SITE CHMOD %s: %o, %q, %v; want %o, %q", tt.arg, perm, path, err, tt.perm, tt.path)
		}
	}
}

func TestParseUtime(t *testing.T) {
	minute := time.Date(2024, 1, 2, 3, 4, 0, 0, time.UTC)
	second := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		arg  string
		want time.Time
		path string // "" = refused
	}{
		{"202401020304 name", minute, "name"},
		{"20240102030405 a b ", second, "a b "},
		{"name 20200101000000 20240102030405 20210101000000 UTC", second, "name"},
		{"a b  20200101000000 20240102030405 20210101000000 UTC", second, "a b "},
		{"name 202001010000 202401020304 202101010000 utc", minute, "name"},
		{"20240102030405 UTC", second, "UTC"},
		{"20240102030405 a b c UTC", second, "a b c UTC"},
		{"20240102030405 20200101000000 20240102030405 UTC", second, "20200101000000 20240102030405 UTC"},
		{"20240102030405 20200101000000 20240102030405 20210101000000 UTC", second, "20240102030405"},
		{"name 20200101000000 20240102030405 20210101000000", time.Time{}, ""},
		{"name 20200101000000 20241302030405 20210101000000 UTC", time.Time{}, ""},
		{"20240102 name", time.Time{}, ""},
		{"20241302030405 name", time.Time{}, ""},
		{"20240102030405", time.Time{}, ""},
		{"20240102030405 ", time.Time{}, ""},
		{"name", time.Time{}, ""},
		{"", time.Time{}, ""},
	} {
		got, path, err := parseUtime(tt.arg)
		if !got.Equal(tt.want) || path != tt.path || (tt.path == "") != errors.Is(err, errSyntax) {
			t.Errorf("SITE UTIME %s: %v, %q, %v; want %v, %q", tt.arg, got, path, err, tt.want, tt.path)
		}
	}
}

func FuzzSite(f *testing.F) {
	f.Add("644 name")
	f.Add("name 20200101000000 20240102030405 20210101000000 UTC")
	f.Fuzz(func(t *testing.T, arg string) {
		if perm, path, err := parseChmod(arg); err == nil && (perm&^0o777 != 0 || path == "") {
			t.Fatalf("SITE CHMOD %q: %v, %q", arg, perm, path)
		}
		if when, path, err := parseUtime(arg); err == nil && (path == "" || when.Year() > 9999) {
			t.Fatalf("SITE UTIME %q: %v, %q", arg, when, path)
		}
	})
}
