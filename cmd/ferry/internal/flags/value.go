package flags

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"ferry/config"
)

// Kinds of values that may stand alone.
const (
	kindSwitch = "bool"
	kindCount  = "count"
)

// Kinds of other values, by which a file knows how they are written.
const (
	kindInt      = "int"
	kindID       = "uint32"
	kindFloat    = "float"
	kindSize     = "SizeSuffix"
	kindDuration = "duration"
	kindMode     = "FileMode"
	kindPorts    = "ports"
	kindFile     = "file"
	kindFiles    = "paths"
	kindURL      = "URL"
	kindCommand  = "command"
	kindAny      = "value"
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

func (v *value[T]) held() any { return *v.p }

func text(p *string) pflag.Value {
	return word(p, "string", func(s string) (string, error) { return s, nil })
}

// file is the path of a file or a directory.
func file(p *string) pflag.Value {
	return word(p, kindFile, func(s string) (string, error) { return s, nil })
}

// word is a text that parse puts into its usual form.
func word(p *string, kind string, parse func(string) (string, error)) *value[string] {
	return &value[string]{p, kind, parse, func(s string) string { return s }}
}

func secret(p *Secret) pflag.Value {
	return &value[Secret]{p, "string", func(s string) (Secret, error) { return Secret(s), nil }, Secret.String}
}

// userName is a name to log in by.
func userName(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" {
			return "", errors.New("nobody can log in by an empty name: leave it out for anonymous")
		}
		return s, nil
	}
	return word(p, "string", parse)
}

// errTwice is the error of a flag that would take back what was said before.
var errTwice = errors.New("is given twice: there is one")

// once refuses a second value.
func once(v pflag.Value) pflag.Value { return &onceOnly{Value: v} }

type onceOnly struct {
	pflag.Value
	set bool
}

func (o *onceOnly) Set(s string) error {
	if o.set {
		return errTwice
	}
	o.set = true
	return o.Value.Set(s)
}

func toggle(p *bool) pflag.Value {
	parse := func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, errors.New("use true or false")
		}
		return b, nil
	}
	return &value[bool]{p, kindSwitch, parse, strconv.FormatBool}
}

// number is how many there are of something.
func number(p *uint32) pflag.Value { return uint32Of(p, kindInt) }

// orAuto is a number from 1, or auto, which is 0.
func orAuto(p *uint32) pflag.Value {
	const auto = "auto"
	parse := func(s string) (uint32, error) {
		if s == auto {
			return 0, nil
		}
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return 0, errors.New("use auto, or a number from 1 to 65535")
		}
		return uint32(n), nil
	}
	return &value[uint32]{p, kindInt, parse, func(n uint32) string {
		if n == 0 {
			return auto
		}
		return strconv.FormatUint(uint64(n), 10)
	}}
}

// integer is a number that may be below 0.
func integer(p *int) pflag.Value {
	parse := func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, errors.New("use a number, such as 3 or -1")
		}
		return n, nil
	}
	return &value[int]{p, kindInt, parse, strconv.Itoa}
}

// id is the number of a user or a group.
func id(p *uint32) pflag.Value { return uint32Of(p, kindID) }

func uint32Of(p *uint32, kind string) pflag.Value {
	parse := func(s string) (uint32, error) {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return 0, errors.New("use a number from 0 to 4294967295")
		}
		return uint32(n), nil
	}
	return &value[uint32]{p, kind, parse, func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }}
}

func size(p *config.Size) pflag.Value {
	return &value[config.Size]{p, kindSize, config.ParseSize, config.Size.String}
}

// cacheMode is what is kept on local disk.
func cacheMode(p *string) pflag.Value {
	v := choice(p, CacheModes()...)
	parse := v.parse
	v.parse = func(s string) (string, error) {
		mode, err := parse(s)
		if err != nil {
			err = fmt.Errorf("not a cache mode: %w", err)
		}
		return mode, err
	}
	return v
}

// CacheModes are the values of --vfs-cache-mode, from nothing to everything.
func CacheModes() []string { return []string{CacheOff, "minimal", "writes", "full"} }

// CacheOff is the mode without a disk cache.
const CacheOff = "off"

func bandwidth(p *config.Bandwidth) pflag.Value {
	return &value[config.Bandwidth]{p, "BwTimetable", config.ParseBandwidth, config.Bandwidth.String}
}

// rate is a number per second.
func rate(p *float64) pflag.Value {
	parse := func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1e9) { // which NaN is not
			return 0, errors.New("use a number from 0 on, such as 10 or 0.5")
		}
		return f, nil
	}
	return &value[float64]{p, kindFloat, parse, func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }}
}

func fileMode(p *fs.FileMode) pflag.Value {
	return &value[fs.FileMode]{p, kindMode, config.ParseFileMode, config.FormatFileMode}
}

func ports(p *config.Ports) pflag.Value {
	return &value[config.Ports]{p, kindPorts, config.ParsePorts, config.Ports.String}
}

// Duration is a span of time.
func Duration(p *time.Duration) pflag.Value {
	return &value[time.Duration]{p, kindDuration, config.ParseDuration, config.FormatDuration}
}

// limit is a duration that something must have, though it may be off.
func limit(p *time.Duration) pflag.Value {
	return &value[time.Duration]{p, kindDuration, parseLimit, config.FormatDuration}
}

func parseLimit(s string) (time.Duration, error) {
	d, err := config.ParseDuration(s)
	if err == nil && d == 0 {
		err = errors.New("must be longer than 0; use off for no limit")
	}
	return d, err
}

// Timeouts limit a data connection: the time for it to come about, and the time without a byte.
type Timeouts struct{ Connect, Stall time.Duration }

// timeouts reads "CONNECT,STALL", or one duration for both.
func timeouts(p *Timeouts) pflag.Value {
	parse := func(s string) (Timeouts, error) {
		first, second, two := strings.Cut(s, ",")
		if !two {
			second = first
		}
		connect, errConnect := parseLimit(strings.TrimSpace(first))
		stall, errStall := parseLimit(strings.TrimSpace(second))
		if err := errors.Join(errConnect, errStall); err != nil {
			return Timeouts{}, errors.New("use two durations, to connect and without a byte (30s,2m), or one for both, longer than 0 or off")
		}
		return Timeouts{connect, stall}, nil
	}
	format := func(d Timeouts) string {
		return config.FormatDuration(d.Connect) + "," + config.FormatDuration(d.Stall)
	}
	return &value[Timeouts]{p, "durations", parse, format}
}

// choice is one of a few words, in any case.
func choice(p *string, words ...string) *value[string] {
	parse := func(s string) (string, error) {
		for _, w := range words {
			if strings.EqualFold(s, w) {
				return w, nil
			}
		}
		return "", errors.New("use " + strings.Join(words, ", "))
	}
	return word(p, strings.Join(words, "|"), parse)
}

// logFormat is text or json. The words of rclone are taken too: of those only json changes the
// form.
func logFormat(p *string) pflag.Value {
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
	return word(p, "text|json", parse)
}

// addrs is a list of listening addresses.
func addrs(p *[]string) pflag.Value {
	return several(p, "host:port", func(s string) (string, error) { return s, checkAddr(s) })
}

// several is a list: each occurrence of the flag adds to it, and a comma separates several.
func several(p *[]string, kind string, one func(string) (string, error)) pflag.Value {
	parse := func(s string) ([]string, error) {
		list := *p
		for text := range strings.SplitSeq(s, ",") {
			text, err := one(strings.TrimSpace(text))
			if err != nil {
				return nil, err
			}
			list = append(list, text)
		}
		return slices.Clip(list), nil
	}
	return &value[[]string]{p, kind, parse, func(l []string) string { return strings.Join(l, ",") }}
}

// counter counts how often a flag without a value stands there; a number sets the count.
func counter(p *int) pflag.Value {
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
	return &value[int]{p, kindCount, parse, strconv.Itoa}
}

// countOne is what pflag passes for a flag without a value.
const countOne = "+1"

func configPath(p *ConfigPath) pflag.Value {
	return &value[ConfigPath]{p, kindFile, func(s string) (ConfigPath, error) { return ConfigPath{s, true}, nil }, func(c ConfigPath) string { return c.Path }}
}

// command is a command line, split at spaces.
func command(p *[]string) pflag.Value {
	return &value[[]string]{p, kindCommand, config.ParseCommand, func(args []string) string { return strings.Join(args, " ") }}
}

// parsePublicIP accepts an IPv4 address or a host name. PASV cannot announce anything else: its
// reply has room for four numbers (RFC 959, section 4.1.2).
func parsePublicIP(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		if !a.Unmap().Is4() {
			return "", errors.New("PASV can only announce an IPv4 address; EPSV needs none")
		}
		return a.Unmap().String(), nil
	}
	host := strings.TrimSuffix(s, ".")
	hostLetters := func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}
	if host == "" || strings.ContainsFunc(host, hostLetters) || strings.Trim(host, "0123456789.") == "" {
		return "", errors.New("use an IPv4 address or a host name")
	}
	return s, nil
}

const addrRemedy = "use HOST:PORT or :PORT, as in localhost:2121 or :2121"

// checkAddr refuses what is not a host (or nothing) and a numeric port.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("not an address: " + addrRemedy)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("the port is not a number from 0 to 65535: " + addrRemedy)
	}
	return nil
}

// tlsVersions are the values of --min-tls-version.
var tlsVersions = map[string]uint16{
	"1.0": tls.VersionTLS10,
	"1.1": tls.VersionTLS11,
	"1.2": tls.VersionTLS12,
	"1.3": tls.VersionTLS13,
}

// tlsVersion is a TLS version, with or without "tls" in front.
func tlsVersion(p *string) pflag.Value {
	parse := func(s string) (string, error) {
		v := strings.TrimPrefix(strings.ToLower(s), "tls")
		if _, ok := tlsVersions[v]; !ok {
			return "", errors.New("use 1.0, 1.1, 1.2 or 1.3")
		}
		return v, nil
	}
	return word(p, "1.0|1.1|1.2|1.3", parse)
}

// LevelWords are the values of --log-level.
func LevelWords() []string { return []string{"DEBUG", "INFO", "NOTICE", "ERROR"} }
