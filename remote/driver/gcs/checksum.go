package gcs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// encodeSum writes a CRC32C as the service does.
func encodeSum(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
