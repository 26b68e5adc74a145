package main

import (
	"slices"
	"strings"
	"testing"
)

func TestACommandLineChoosesSuites(t *testing.T) {
	for _, c := range []struct {
		o    options
		want string // the suites, or what the error says
	}{
		{options{}, "local s3"},
		{options{suites: "s3"}, "s3"},
		{options{suites: "scale,local"}, "local scale"},
		{options{rows: "entries-1000"}, "scale"},
		{options{rows: "far-list"}, "s3"},
		{options{rows: "retr,far-retr"}, "local s3"},
		{options{servers: "vsftpd"}, "local"},
		{options{servers: "ferry,vsftpd"}, "local s3"},
		{options{suites: "s4"}, `-suite: there is no "s4"`},
		{options{suites: "s3", rows: "retr"}, `-rows: there is no "retr"`},
		{options{servers: "ftpd"}, `-servers: there is no "ftpd"`},
		{options{rows: "far-list", servers: "vsftpd"}, `-servers: there is no "vsftpd"`},
	} {
		all, err := chosen(c.o)
		var got []string
		for _, s := range all {
			got = append(got, s.name)
		}
		if err != nil && !strings.HasPrefix(err.Error(), c.want) || err == nil && strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %q, %v; want %s", c.o, got, err, c.want)
		}
	}
}

func TestNamesOfRowsAreNotUsedTwice(t *testing.T) {
	var names []string
	for _, s := range suites() {
		names = append(names, s.workloadNames()...)
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			t.Errorf("two rows are called %s", names[i])
		}
	}
}
