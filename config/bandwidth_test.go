package config

import (
	"testing"
	"time"
)

// at returns a time of the week of Sunday, 3 March 2024.
func at(t *testing.T, when string) time.Time {
	t.Helper()
	for day := 3; day <= 9; day++ {
		tm := time.Date(2024, time.March, day, 0, 0, 0, 0, time.UTC)
		if tm.Format("Mon") != when[:3] {
			continue
		}
		clock, err := time.Parse("15:04:05", when[4:])
		if err != nil {
			t.Fatal(err)
		}
		return tm.Add(time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute + time.Duration(clock.Second())*time.Second)
	}
	t.Fatalf("no such day: %s", when)
	return time.Time{}
}

func TestBandwidth(t *testing.T) {
	const k, m, none = 1 << 10, 1 << 20, -1
	type limit struct {
		when     string
		up, down int64
	}
	tests := []struct {
		in, text string
		limits   []limit
	}{
		{"512", "512Ki", []limit{{"Mon 12:00:00", 512 * k, 512 * k}}}, // a number is KiB
		{"512B", "512B", []limit{{"Mon 12:00:00", 512, 512}}},
		{"10M", "10Mi", []limit{{"Sun 00:00:00", 10 * m, 10 * m}, {"Sat 23:59:59", 10 * m, 10 * m}}},
		{"10M:1M", "10Mi:1Mi", []limit{{"Mon 12:00:00", 10 * m, m}}},
		{"off:1M", "off:1Mi", []limit{{"Mon 12:00:00", none, m}}},
		{"1M:off", "1Mi:off", []limit{{"Mon 12:00:00", m, none}}},
		{"10:20", "10Ki:20Ki", []limit{{"Mon 12:00:00", 10 * k, 20 * k}}}, // not a time of day
		{"off", "off", []limit{{"Mon 12:00:00", none, none}}},
		{"0", "0", []limit{{"Mon 12:00:00", none, none}}},
		{
			"08:00,512 12:00,10M 13:00,512 18:00,30M 23:00,off", "",
			[]limit{
				{"Sun 00:00:00", none, none}, // Saturday's last entry
				{"Mon 07:59:59", none, none}, // Sunday's
				{"Mon 08:00:00", 512 * k, 512 * k},
				{"Wed 12:30:00", 10 * m, 10 * m},
				{"Sat 13:00:00", 512 * k, 512 * k},
				{"Sun 18:00:00", 30 * m, 30 * m},
				{"Sat 23:59:59", none, none},
			},
		},
		{
			"Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off", "Sun-20:00,off Mon-00:00,512Ki Fri-23:59,10Mi Sat-10:00,1Mi",
			[]limit{
				{"Sun 19:59:59", m, m}, // still Saturday's
				{"Sun 20:00:00", none, none},
				{"Thu 03:00:00", 512 * k, 512 * k},
				{"Fri 23:59:00", 10 * m, 10 * m},
				{"Sat 12:00:00", m, m},
			},
		},
		{
			"Mon-00:00,512 12:00,1M Sun-20:00,off", "",
			[]limit{
				{"Sun 12:00:00", m, m},
				{"Sun 20:00:00", none, none},
				{"Mon 11:59:00", 512 * k, 512 * k},
				{"Tue 00:00:00", m, m},
			},
		},
		{"08:00,512;19:00,10M", "", []limit{{"Mon 09:00:00", 512 * k, 512 * k}, {"Mon 20:00:00", 10 * m, 10 * m}}},
		{" 08:00,512 ;  19:00,10M ", "", []limit{{"Mon 20:00:00", 10 * m, 10 * m}}},
		{"monday-10:20,10M:off SUN-10:20,1M", "Sun-10:20,1Mi Mon-10:20,10Mi:off", []limit{{"Mon 10:20:00", 10 * m, none}}},
		{"Mon-10:20,1M Mon-10:20,2M", "Mon-10:20,1Mi Mon-10:20,2Mi", []limit{{"Mon 10:20:00", 2 * m, 2 * m}, {"Mon 10:19:00", 2 * m, 2 * m}}},
	}
	for _, tt := range tests {
		b, err := ParseBandwidth(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if tt.text != "" && b.String() != tt.text {
			t.Errorf("%q is written %q, want %q", tt.in, b, tt.text)
		}
		back, err := ParseBandwidth(b.String())
		if err != nil {
			t.Errorf("%q: its text %q: %v", tt.in, b, err)
		}
		for _, l := range tt.limits {
			for _, b := range []Bandwidth{b, back} {
				if up, down := b.At(at(t, l.when)); up != l.up || down != l.down {
					t.Errorf("%q: on %s it is %d:%d, want %d:%d", tt.in, l.when, up, down, l.up, l.down)
				}
			}
		}
	}
}

func TestParseBandwidthErrors(t *testing.T) {
	for _, in := range []string{
		"", " ", " ; ", ",", "bad", "bad bad", "bad,bad", "1000X", "1M:", ":1M", "1M:1M:1M", "-1",
		"2401,666", "1061,666", "10:20,", "10:20,bad", "10:20,1M,2M", "24:00,1M", "10:60,1M", "8:00,1M", "10x20,1M", "+1:+2,1M",
		"bad-10:20,666", "Mon-bad,666", "Mon-10:20,bad", "Mo-10:20,1M", "-10:20,1M", "Mon-Tue-10:20,1M", "08:00,512\t10:00,1M",
	} {
		if b, err := ParseBandwidth(in); err == nil {
			t.Errorf("%q was read as %s", in, b)
		}
	}
}

func TestNoBandwidthIsNoLimit(t *testing.T) {
	var b Bandwidth
	if up, down := b.At(at(t, "Mon 12:00:00")); up != -1 || down != -1 || b.String() != "off" {
		t.Errorf("%d:%d %s", up, down, b)
	}
}
