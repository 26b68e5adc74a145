package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// magic is what a file begins with.
const magic = "ferry journal 1\n"

// A record is a checksum of the rest, the length of the value, what is done, the number, and the
// value.
const (
	headerSize = 4 + 4 + 1 + 8
	maxValue   = 16 << 20
)

// What a record does.
const (
	put = 1
	del = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// appendRecord appends a record to others.
func appendRecord(b []byte, op byte, key uint64, value []byte) []byte {
	begin := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	b = append(b, op)
	b = binary.LittleEndian.AppendUint64(b, key)
	b = append(b, value...)
	binary.LittleEndian.PutUint32(b[begin:], checksum(b[begin+4:]))
	return b
}

// A header is the beginning of a record.
type header struct {
	sum  uint32
	size int
	op   byte
	key  uint64
}

func decode(b []byte) header {
	return header{
		sum: binary.LittleEndian.Uint32(b), size: int(binary.LittleEndian.Uint32(b[4:])),
		op: b[8], key: binary.LittleEndian.Uint64(b[9:]),
	}
}

// valid reports whether a record of size bytes may begin with h.
func (h header) valid() bool {
	return h.size >= 0 && h.size <= maxValue && (h.op == put || h.op == del && h.size == 0)
}
