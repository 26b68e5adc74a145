package chunker

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"

	"ferry/remote"
)

const (
	// maxRecord is the longest file that can be a record.
	maxRecord = 1023
	// A record without a mark is of version 1, one with a mark of version 2.
	versionPlain  = 1
	versionMarked = 2
)

// A record says what a file in chunks is.
type record struct {
	Version *int   `json:"ver"`
	Size    *int64 `json:"size"`
	Chunks  *int   `json:"nchunks"`
	MD5     string `json:"md5,omitempty"`
	SHA1    string `json:"sha1,omitempty"`
	Txn     string `json:"txn,omitempty"`
}

// parseRecord returns the record that content is, and false if it is none.
func parseRecord(content []byte) (rec record, ok bool) {
	content = bytes.TrimSpace(content)
	if len(content) == 0 || len(content) > maxRecord || content[0] != '{' {
		return rec, false
	}
	if json.Unmarshal(content, &rec) != nil || rec.Version == nil || rec.Size == nil || rec.Chunks == nil {
		return record{}, false
	}
	if *rec.Version < 1 || *rec.Size < 0 || *rec.Chunks < 1 || !validSum(rec.MD5, 16) || !validSum(rec.SHA1, 20) || !validTxn(rec.Txn) {
		return record{}, false
	}
	return rec, true
}

func validSum(s string, length int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && (len(b) == 0 || len(b) == length)
}

func validTxn(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s == "" || len(s) >= 4 && len(s) <= txnLength
}

// encode returns the content of the record.
func (rec record) encode() []byte {
	b, err := json.Marshal(rec)
	if err != nil { // numbers and checked texts
		panic(err)
	}
	return b
}

// sum is the checksum of an algorithm, nil if there is none.
func (rec record) sum(algorithm string) []byte {
	text := map[string]string{"md5": rec.MD5, "sha1": rec.SHA1}[algorithm]
	if text == "" {
		return nil
	}
	b, _ := hex.DecodeString(text) // was checked
	return b
}

// readRecord reads what may be a record.
func readRecord(r io.Reader) (rec record, ok bool, err error) {
	content, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return record{}, false, err
	}
	rec, ok = parseRecord(content)
	return rec, ok, nil
}

// maybeRecord reports whether an entry of the remote below can be a record.
func maybeRecord(e remote.Entry) bool {
	return !e.Dir && e.Size > 0 && e.Size <= maxRecord && e.Part == ""
}
