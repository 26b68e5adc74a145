package local

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// fstab is the list of the file systems that are to be mounted.
const fstab = "/etc/fstab"

// mountOf returns the mount point that the directory path is on, "" for the root of the system. It
// follows links. Where the system does not say what is a mount point, the devices tell.
func mountOf(path string) string {
	at, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	for {
		above := filepath.Dir(at)
		if above == at {
			return ""
		}
		is, known := isMount(at)
		if !known {
			is = otherDevice(at, above)
		}
		if is {
			return at
		}
		at = above
	}
}

// otherDevice reports whether two directories lie on different devices.
func otherDevice(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && metaOf(first).dev != metaOf(second).dev
}

// plannedMount returns the mount point for the directory path in a file like /etc/fstab, "" when
// there is none but the root of the system. Where several are nested, it is the innermost.
func plannedMount(path, list string) string {
	content, err := os.ReadFile(list)
	if err != nil {
		return "" // there is none on this system
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	found := ""
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line) // fstab(5): device, mount point, type ...
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		point := filepath.Clean(unescape(fields[1]))
		if filepath.IsAbs(point) && point != "/" && onMount(path, point) && len(point) > len(found) {
			found = point
		}
	}
	return found
}

// unescape reads the octal numbers that stand for blanks in fstab.
func unescape(field string) string {
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if n, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}
