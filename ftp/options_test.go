package ftp

import "testing"

func TestStripOptions(t *testing.T) {
	for _, tt := range []struct {
		arg, rest string
		had       bool
	}{
		{"", "", false},
		{"-a", "", true},
		{"-al", "", true},
		{"-la ", "", true},
		{"-a -l", "", true},
		{"-1 dir", "dir", true},
		{"-aL /a b", "/a b", true},
		{"-R -a  dir", " dir", true},
		{"dir -a", "dir -a", false},
		{" -a", " -a", false},
		{"-", "-", false},
		{"--", "--", false},
		{"--help", "--help", false},
		{"-a.txt", "-a.txt", false},
		{"-a/b", "-a/b", false},
		{"-l *.txt", "*.txt", true},
		{"-\xe9", "-\xe9", false},
	} {
		rest, had := stripOptions(tt.arg)
		if rest != tt.rest || had != tt.had {
			t.Errorf("stripOptions(%q) = %q, %t; want %q, %t", tt.arg, rest, had, tt.rest, tt.had)
		}
	}
}
