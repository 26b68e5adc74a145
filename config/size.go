package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. SizeOff means that there is no limit.
type Size int64

// SizeOff is written "off".
const SizeOff Size = -1

const sizeRemedy = "use a number with K, M, G, T or P (128M), B for bytes, none for KiB, or off"

// ParseSize reads a number with an optional suffix: b is bytes, k, m, g, t, p and e are powers of
// 1024, also written Ki or KiB. Case does not matter, except that the i of KiB is lower case. A
// number without a suffix is in KiB. "off" is SizeOff.
func ParseSize(s string) (Size, error) {
	if strings.EqualFold(s, "off") {
		return SizeOff, nil
	}
	number, unit, err := cutUnit(s)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(number, "xXpP_") {
		return 0, errors.New("not a size: " + sizeRemedy)
	}
	if f < 0 {
		return 0, errors.New("a size cannot be negative: " + sizeRemedy)
	}
	if f *= unit; f >= math.MaxInt64 {
		return 0, errors.New("too large for a size")
	}
	return Size(f), nil
}

// cutUnit splits s into the number and the factor of its suffix.
func cutUnit(s string) (number string, factor float64, err error) {
	bad := fmt.Errorf("not a size: %s", sizeRemedy)
	if s == "" {
		return "", 0, bad
	}
	switch last := s[len(s)-1]; {
	case '0' <= last && last <= '9' || last == '.':
		return s, 1 << 10, nil
	case strings.HasSuffix(s, "iB") || strings.HasSuffix(s, "ib"):
		s = s[:len(s)-2]
	case last == 'b' || last == 'B':
		return s[:len(s)-1], 1, nil
	case last == 'i':
		s = s[:len(s)-1]
	}
	if s == "" {
		return "", 0, bad
	}
	power := strings.IndexByte("kmgtpe", s[len(s)-1]|0x20)
	if power < 0 {
		return "", 0, bad
	}
	return s[:len(s)-1], math.Pow(1024, float64(power+1)), nil
}

// String returns the size in the largest unit it fills, "off" for SizeOff. ParseSize reads it back,
// rounded to three decimals of the unit.
func (s Size) String() string {
	switch {
	case s < 0:
		return "off"
	case s == 0:
		return "0"
	case s < 1<<10:
		return strconv.FormatInt(int64(s), 10) + "B"
	}
	value, unit := float64(s), -1
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	decimals := 3
	if value == math.Trunc(value) {
		decimals = 0
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + units[unit:unit+1] + "i"
}

const units = "KMGTPE"
