package flags

import (
	"strings"
	"testing"
	"time"
)

func TestParsePublicIP(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":         "192.0.2.1",
		"::ffff:192.0.2.1":  "192.0.2.1",
		"ftp.example.org":   "ftp.example.org",
		"ftp.example.org.":  "ftp.example.org.",
		"nas_1":             "nas_1",
		"2-a.example":       "2-a.example",
		"xn--bcher-kva.org": "xn--bcher-kva.org",
	} {
		if got, err := parsePublicIP(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ".", "2001:db8::1", "1.2.3", "1.2.3.4.5", "300.1.1.1", "a b", "ftp://x", "x:21"} {
		if got, err := parsePublicIP(in); err == nil {
			t.Errorf("%q: got %q, want an error", in, got)
		}
	}
}

func TestCacheModes(t *testing.T) {
	for in, want := range map[string]string{"off": CacheOff, "minimal": "minimal", "writes": "writes", "full": "full", "Full": "full"} {
		var got string
		if err := cacheMode(&got).Set(in); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "on", "writes ", "3"} {
		if got := ""; cacheMode(&got).Set(in) == nil {
			t.Errorf("%q is %q, want an error", in, got)
		}
	}
}

func TestThePollIntervalMustBeSmallerThanTheDirCacheTime(t *testing.T) {
	for _, test := range []struct {
		args string
		used time.Duration // below 0: it is refused
	}{
		{"", time.Minute},
		{"--poll-interval=0", 0},
		{"--poll-interval=off", 0},
		{"--poll-interval=4m", 4 * time.Minute},
		{"--poll-interval=5m", -1},
		{"--poll-interval=1h --dir-cache-time=2h", time.Hour},
		{"--poll-interval=1s --dir-cache-time=0", -1},
		{"--poll-interval=0 --dir-cache-time=0", 0},
		{"--dir-cache-time=1m", 30 * time.Second},
		{"--dir-cache-time=0", 0},
	} {
		o, err := parse(t, nil, strings.Fields(test.args)...)
		if err != nil {
			t.Fatal(err)
		}
		err = o.Check()
		if test.used < 0 {
			if err == nil || !strings.Contains(err.Error(), "--poll-interval") || !strings.Contains(err.Error(), "--dir-cache-time") {
				t.Errorf("%q: %v", test.args, err)
			}
			continue
		}
		if got := o.UsedPollInterval(); got != test.used || err != nil {
			t.Errorf("%q: %v, %v", test.args, got, err)
		}
	}
}
