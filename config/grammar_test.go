package config

import (
	"io/fs"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		in   string
		want Size
		text string // what String makes of it
	}{
		{"0", 0, "0"},
		{"1", 1 << 10, "1Ki"}, // no suffix is KiB
		{"2048", 2 << 20, "2Mi"},
		{"100b", 100, "100B"},
		{"100B", 100, "100B"},
		{"16M", 16 << 20, "16Mi"},
		{"16m", 16 << 20, "16Mi"},
		{"128Mi", 128 << 20, "128Mi"},
		{"128MiB", 128 << 20, "128Mi"},
		{"1.5G", 3 << 29, "1.500Gi"},
		{".5k", 512, "512B"},
		{"1.k", 1 << 10, "1Ki"},
		{"2T", 2 << 40, "2Ti"},
		{"3p", 3 << 50, "3Pi"},
		{"1E", 1 << 60, "1Ei"},
		{"off", SizeOff, "off"},
		{"OFF", SizeOff, "off"},
	}
	for _, tt := range tests {
		got, err := ParseSize(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", tt.in, got, err, tt.want)
		}
		if got.String() != tt.text {
			t.Errorf("ParseSize(%q).String() = %q, want %q", tt.in, got, tt.text)
		}
		if back, err := ParseSize(tt.text); err != nil || back != got {
			t.Errorf("ParseSize(%q) = %d, %v; it is the text of %d", tt.text, back, err, got)
		}
	}
	for _, in := range []string{"", "b", "i", "iB", "K", "KiB", "x", "10x", "10KB", "10MB", "10kb", "10IB", "-1", "-1k", "1 k", "NaN", "Inf", "0x10", "1_000", "8E", "1,5k"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", in, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration
		text string
	}{
		{"1h30m", 90 * time.Minute, "1h30m0s"},
		{"250ms", 250 * time.Millisecond, "250ms"},
		{"90", 90 * time.Second, "1m30s"}, // no unit is seconds
		{"0", 0, "0s"},
		{"1.5", 1500 * time.Millisecond, "1.5s"},
		{"5m", 5 * time.Minute, "5m0s"},
		{"5M", 150 * day, "5M"}, // months, not minutes
		{"1d", day, "1d"},
		{"1.5d", 36 * time.Hour, "1.5d"},
		{"24h", day, "1d"},
		{"2w", 14 * day, "2w"},
		{"1y", 365 * day, "1y"},
		{"off", DurationOff, "off"},
	}
	for _, tt := range tests {
		got, err := ParseDuration(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
		if text := FormatDuration(got); text != tt.text {
			t.Errorf("FormatDuration of %q = %q, want %q", tt.in, text, tt.text)
		}
		if back, err := ParseDuration(tt.text); err != nil || back != got {
			t.Errorf("ParseDuration(%q) = %v, %v; it is the text of %v", tt.text, back, err, got)
		}
	}
	for _, in := range []string{"", "1d12h", "d", "5x", "five", "-5m", "-1d", "NaN", "Infd", "300y", "0x10d", "2024-01-02", "Off"} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
		}
	}
}

func TestParseFileMode(t *testing.T) {
	tests := []struct {
		in   string
		want fs.FileMode
		text string
	}{
		{"0777", 0o777, "0777"}, {"777", 0o777, "0777"}, {"22", 0o22, "0022"}, {"2", 2, "0002"}, {"0", 0, "0000"}, {"00000644", 0o644, "0644"},
	}
	for _, tt := range tests {
		got, err := ParseFileMode(tt.in)
		if err != nil || got != tt.want || FormatFileMode(got) != tt.text {
			t.Errorf("ParseFileMode(%q) = %v %q, %v; want %q", tt.in, got, FormatFileMode(got), err, tt.text)
		}
	}
	for _, in := range []string{"", "8", "0o644", "1777", "-1", "rwx", "99999999999"} {
		if got, err := ParseFileMode(in); err == nil {
			t.Errorf("ParseFileMode(%q) = %v, want an error", in, got)
		}
	}
}

func TestParsePorts(t *testing.T) {
	tests := []struct {
		in   string
		want Ports
		text string
	}{
		{"30000-32000", Ports{30000, 32000}, "30000-32000"},
		{" 30000 - 32000 ", Ports{30000, 32000}, "30000-32000"},
		{"30000", Ports{30000, 30000}, "30000"},
		{"30000-30000", Ports{30000, 30000}, "30000"},
		{"1-65535", Ports{1, 65535}, "1-65535"},
		{"0", Ports{}, "0"},
	}
	for _, tt := range tests {
		got, err := ParsePorts(tt.in)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("ParsePorts(%q) = %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"", "-", "a-b", "32000-30000", "0-100", "1-65536", "-5", "1-", "1-2-3", "30000:32000"} {
		if got, err := ParsePorts(in); err == nil {
			t.Errorf("ParsePorts(%q) = %v, want an error", in, got)
		}
	}
}
