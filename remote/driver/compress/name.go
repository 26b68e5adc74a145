package compress

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

const (
	sidecarSuffix = ".json"
	plainSuffix   = ".bin"
	gzipSuffix    = ".gz"
	zstdSuffix    = ".zst"

	lengthChars = 11 // of 8 bytes in base64
)

// contentName returns what the content of base is called that was stored in a mode.
func contentName(base string, s sidecar) string {
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(s.Size))
	compressed := base + "." + base64.RawURLEncoding.EncodeToString(length[:])
	switch s.Mode {
	case modeGzip:
		return compressed + gzipSuffix
	case modeZstd:
		return compressed + zstdSuffix
	}
	return base + plainSuffix
}

// parseContent returns the name of the file whose content is called name, and its length; -1 is
// that of the content itself. ok is false for anything else.
func parseContent(name string) (base string, size int64, ok bool) {
	if base, ok = strings.CutSuffix(name, plainSuffix); ok {
		return base, -1, base != ""
	}
	base, ok = strings.CutSuffix(name, gzipSuffix)
	if !ok {
		base, ok = strings.CutSuffix(name, zstdSuffix)
	}
	dot := len(base) - lengthChars - 1
	if !ok || dot < 1 || base[dot] != '.' {
		return "", 0, false
	}
	length, err := base64.RawURLEncoding.DecodeString(base[dot+1:])
	if err != nil || len(length) != 8 {
		return "", 0, false
	}
	size = int64(binary.LittleEndian.Uint64(length))
	return base[:dot], size, size >= 0
}

// plainName is the file that a name of the remote below belongs to.
func plainName(name string) string {
	if base, _, ok := parseContent(name); ok {
		return base
	}
	return strings.TrimSuffix(name, sidecarSuffix)
}
