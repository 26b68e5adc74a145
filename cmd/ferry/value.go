package main

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ferry/config"
)

// A value is a pflag.Value made of a parser and a formatter.
type value[T any] struct {
	p      *T
	kind   string // what --help calls it
	parse  func(string) (T, error)
	format func(T) string
}

func (v *value[T]) Set(s string) error {
	x, err := v.parse(s)
	if err == nil {
		*v.p = x
	}
	return err
}

func (v *value[T]) String() string { return v.format(*v.p) }

func (v *value[T]) Type() string { return v.kind }

func textValue(p *string) pflag.Value {
	return &value[string]{p, "string", func(s string) (string, error) { return s, nil }, func(s string) string { return s }}
}

func secretValue(p *secret) pflag.Value {
	return &value[secret]{p, "string", func(s string) (secret, error) { return secret(s), nil }, secret.String}
}

// userValue is a name to log in by.
func userValue(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" {
			return "", errors.New("nobody can log in by an empty name: leave it out for anonymous")
		}
		return s, nil
	}
	return &value[string]{p, "string", parse, func(s string) string { return s }}
}

// errTwice is the error of a flag that would take back what was said before.
var errTwice = errors.New("is given twice: there is one")

// onceValue refuses a second value.
func onceValue(v pflag.Value) pflag.Value { return &once{Value: v} }

type once struct {
	pflag.Value
	set bool
}

func (o *once) Set(s string) error {
	if o.set {
		return errTwice
	}
	o.set = true
	return o.Value.Set(s)
}

func boolValue(p *bool) pflag.Value {
	parse := func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, errors.New("use true or false")
		}
		return b, nil
	}
	return &value[bool]{p, "bool", parse, strconv.FormatBool}
}

// uintValue is how many there are of something.
func uintValue(p *uint32) pflag.Value { return numberValue(p, "int") }

// intValue is a number that may be below 0.
func intValue(p *int) pflag.Value {
	parse := func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, errors.New("use a number, such as 3 or -1")
		}
		return n, nil
	}
	return &value[int]{p, "int", parse, strconv.Itoa}
}

// idValue is the number of a user or a group.
func idValue(p *uint32) pflag.Value { return numberValue(p, "uint32") }

func numberValue(p *uint32, kind string) pflag.Value {
	parse := func(s string) (uint32, error) {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return 0, errors.New("use a number from 0 to 4294967295")
		}
		return uint32(n), nil
	}
	return &value[uint32]{p, kind, parse, func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }}
}

func sizeValue(p *config.Size) pflag.Value {
	return &value[config.Size]{p, "SizeSuffix", config.ParseSize, config.Size.String}
}

func cacheModeValue(p *config.CacheMode) pflag.Value {
	return &value[config.CacheMode]{p, "off|minimal|writes|full", config.ParseCacheMode, config.CacheMode.String}
}

func bandwidthValue(p *config.Bandwidth) pflag.Value {
	return &value[config.Bandwidth]{p, "BwTimetable", config.ParseBandwidth, config.Bandwidth.String}
}

// rateValue is a number per second.
func rateValue(p *float64) pflag.Value {
	parse := func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1e9) { // which NaN is not
			return 0, errors.New("use a number from 0 on, such as 10 or 0.5")
		}
		return f, nil
	}
	return &value[float64]{p, "float", parse, func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }}
}

func fileModeValue(p *fs.FileMode) pflag.Value {
	return &value[fs.FileMode]{p, "FileMode", config.ParseFileMode, config.FormatFileMode}
}

func portsValue(p *config.Ports) pflag.Value {
	return &value[config.Ports]{p, "ports", config.ParsePorts, config.Ports.String}
}

func durationValue(p *time.Duration) pflag.Value {
	return &value[time.Duration]{p, "duration", config.ParseDuration, config.FormatDuration}
}

// limitValue is a duration that something must have, though it may be off.
func limitValue(p *time.Duration) pflag.Value {
	return &value[time.Duration]{p, "duration", parseLimit, config.FormatDuration}
}

func parseLimit(s string) (time.Duration, error) {
	d, err := config.ParseDuration(s)
	if err == nil && d == 0 {
		err = errors.New("must be longer than 0; use off for no limit")
	}
	return d, err
}

// dataTimeouts limit a data connection: the time for it to come about, and the time without a byte.
type dataTimeouts struct{ connect, stall time.Duration }

// dataTimeoutsValue reads "CONNECT,STALL", or one duration for both.
func dataTimeoutsValue(p *dataTimeouts) pflag.Value {
	parse := func(s string) (dataTimeouts, error) {
		first, second, two := strings.Cut(s, ",")
		if !two {
			second = first
		}
		connect, errConnect := parseLimit(strings.TrimSpace(first))
		stall, errStall := parseLimit(strings.TrimSpace(second))
		if err := errors.Join(errConnect, errStall); err != nil {
			return dataTimeouts{}, errors.New("use two durations, to connect and without a byte (30s,2m), or one for both, longer than 0 or off")
		}
		return dataTimeouts{connect, stall}, nil
	}
	format := func(d dataTimeouts) string {
		return config.FormatDuration(d.connect) + "," + config.FormatDuration(d.stall)
	}
	return &value[dataTimeouts]{p, "durations", parse, format}
}

// choiceValue is one of a few words, in any case.
func choiceValue(p *string, words ...string) pflag.Value {
	parse := func(s string) (string, error) {
		for _, w := range words {
			if strings.EqualFold(s, w) {
				return w, nil
			}
		}
		return "", errors.New("use " + strings.Join(words, ", "))
	}
	return &value[string]{p, strings.Join(words, "|"), parse, func(s string) string { return s }}
}

// logFormatValue is text or json. The words of rclone are taken too: of those only json changes the form.
func logFormatValue(p *string) pflag.Value {
	words := []string{"date", "time", "microseconds", "utc", "longfile", "shortfile", "pid", "nolevel", "json", "text"}
	parse := func(s string) (string, error) {
		form := "text"
		for word := range strings.SplitSeq(strings.ToLower(s), ",") {
			if !slices.Contains(words, word) {
				return "", errors.New("use text or json")
			}
			if word == "json" {
				form = word
			}
		}
		return form, nil
	}
	return &value[string]{p, "text|json", parse, func(s string) string { return s }}
}

// addrsValue is a list of listening addresses: each occurrence of the flag adds to it, and a comma separates several.
func addrsValue(p *[]string) pflag.Value {
	parse := func(s string) ([]string, error) {
		list := *p
		for addr := range strings.SplitSeq(s, ",") {
			addr = strings.TrimSpace(addr)
			if err := checkAddr(addr); err != nil {
				return nil, err
			}
			list = append(list, addr)
		}
		return slices.Clip(list), nil
	}
	return &value[[]string]{p, "host:port", parse, func(l []string) string { return strings.Join(l, ",") }}
}

// publicIPValue is an IPv4 address or a host name, or nothing.
func publicIPValue(p *string) pflag.Value {
	return &value[string]{p, "address", parsePublicIP, func(s string) string { return s }}
}

// countValue counts how often a flag without a value stands there; a number sets the count.
func countValue(p *int) pflag.Value {
	parse := func(s string) (int, error) {
		if s == countOne {
			return *p + 1, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return 0, errors.New("use a number from 0 to 2")
		}
		return n, nil
	}
	return &value[int]{p, "count", parse, strconv.Itoa}
}

// countOne is what pflag passes for a flag without a value.
const countOne = "+1"
