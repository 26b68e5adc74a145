package cipher

import (
	"path"
	"strings"
	"time"
)

// Some stores keep old versions of files, and show them under names with the time before the
// extension: name-v2001-02-03-040506-123.txt. The time is not encrypted.
const (
	versionForm = "-v2006-01-02-150405.000"
	fraction    = len(".000")
)

// cutVersion divides a name into what it is without its version, and the version; "" where it has
// none.
func cutVersion(name string) (unversioned, version string) {
	ext := path.Ext(name)
	base := strings.TrimSuffix(name, ext)
	at := len(base) - len(versionForm)
	if at < 0 {
		return name, ""
	}
	version = base[at:]
	dot := len(version) - fraction
	if version[dot] != '-' {
		return name, ""
	}
	if _, err := time.Parse(versionForm, version[:dot]+"."+version[dot+1:]); err != nil {
		return name, ""
	}
	return base[:at] + ext, version
}

// addVersion is the inverse of cutVersion.
func addVersion(name, version string) string {
	if version == "" || name == "" {
		return name
	}
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + version + ext
}

// Versioned reports whether a name has a version in it.
func Versioned(name string) bool {
	_, version := cutVersion(name)
	return version != ""
}
