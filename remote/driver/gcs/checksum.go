package gcs

import (
	"encoding/base64"
	"encoding/binary"
)

// encodeSum writes a CRC32C as the service does.
func encodeSum(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
