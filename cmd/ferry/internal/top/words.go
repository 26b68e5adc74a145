package top

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// size writes a number of bytes; below 0 is unknown.
func size(n int64) string {
	if n < 0 {
		return ""
	}
	v, i := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	for v >= 1024 && i < len(units)-1 {
		v /= 1024
		i++
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// duration writes a time by its largest unit.
func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f d", d.Hours()/24)
}

// printable keeps a name from moving the cursor, or from writing from right to left.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// fit makes s as wide as n cells, counting a rune as one.
func fit(s string, n int, right bool) string {
	runes := []rune(s)
	if len(runes) > n {
		if n < 2 {
			return string(runes[:max(n, 0)])
		}
		return string(runes[:n-1]) + "…"
	}
	pad := strings.Repeat(" ", n-len(runes))
	if right {
		return pad + s
	}
	return s + pad
}
