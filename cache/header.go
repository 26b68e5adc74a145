package cache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// state is the state of a file. It agrees with the directory of the file, except between two steps,
// which recovery handles.
type state uint8

const (
	stateDraft   state = iota // tmp/
	statePart                 // part/, or tmp/ while it is continued
	stateWaiting              // dirty/
	stateLost                 // lost/
	stateClean                // clean/
	stateAsked                // doubt/
	stateUpload               // uploads/
	states                    // the number of states
)

// A header describes the content that follows it. Which fields are used depends on the state.
type header struct {
	State     state
	Kind      Kind
	Name      string
	Owner     string
	Seq       uint64
	Size      int64
	Synced    int64 // of a part: how many bytes were durable before this header was written
	ModTime   time.Time
	Committed time.Time // of a record: made; of a part: kept; of a copy: last used
	Base      Base
	Version   string // of a record: the base version; of a copy: its version
	Hash      string // of a copy
	Removes   []string
	Held      []extent // of a copy: the bytes held
	Boot      string   // boot ID of the machine when it was written
	Spooled   bool     // the content is not synced: valid during the same boot only
	Reason    string   // of a lost file

	Source     string // of a Moved: the old name
	FactsOf    string // of a file that appends to one on the remote: the name of that
	Superseded bool   // of a lost file: something newer of its name was applied since
	Origin     string // of a record: Record.Origin
	Claim      string // of a record: Record.Claim
	Sent       []Sent // of a record: Record.Sent
}

// An extent is N bytes from Off on.
type extent struct{ Off, N int64 }

// The envelope of a header is the same in every version of the format, so that a newer version is
// never mistaken for damage.
const (
	magic         = "ferrycch"
	version       = 1             // without features of later versions
	versionMoves  = 2             // has Moved or RemovedDir
	versionFacts  = 3             // has FactsOf
	versionOrigin = 4             // has Origin
	versionClaim  = 5             // has Claim
	versionSent   = 6             // has Sent
	envelopeSize  = 8 + 4 + 4 + 8 // magic, version, length of the fields, generation
	checksumSize  = 4
	maxFields     = slotSize - envelopeSize - checksumSize
)

// errDamaged is returned by the decoder for anything that encode did not write.
var errDamaged = errors.New("the header is damaged")

// The tags of the fields. Each field is a tag, the length of the value as a uvarint, and the value.
// A field with its zero value is left out.
const (
	tagState = iota + 1
	tagKind
	tagName
	tagOwner
	tagSeq
	tagSize
	tagModTime
	tagCommitted
	tagBase
	tagVersion
	tagHash
	tagRemove // one for each name
	tagHeld   // one for each extent: offset and length as uvarints
	tagBoot
	tagSpooled
	tagReason
	tagSynced
	tagSuperseded
	tagSource
	tagFactsOf
	tagOrigin
	tagClaim
	tagSent // one for each: size + 1, time, length of the version, version, name
)

// encode returns the slot of the header, or ErrNameTooLong.
func (h *header) encode(generation uint64) ([]byte, error) {
	b := make([]byte, envelopeSize, 512)
	b = appendUint(b, tagState, uint64(h.State))
	b = appendUint(b, tagKind, uint64(h.Kind))
	b = appendString(b, tagName, h.Name)
	b = appendString(b, tagOwner, h.Owner)
	b = appendUint(b, tagSeq, h.Seq)
	b = appendUint(b, tagSize, uint64(h.Size))
	b = appendTime(b, tagModTime, h.ModTime)
	b = appendTime(b, tagCommitted, h.Committed)
	b = appendUint(b, tagBase, uint64(h.Base))
	b = appendString(b, tagVersion, h.Version)
	b = appendString(b, tagHash, h.Hash)
	for _, name := range h.Removes {
		b = appendString(b, tagRemove, name)
	}
	for _, e := range h.Held {
		v := binary.AppendUvarint(nil, uint64(e.Off))
		b = appendField(b, tagHeld, binary.AppendUvarint(v, uint64(e.N)))
	}
	b = appendString(b, tagBoot, h.Boot)
	if h.Spooled {
		b = appendUint(b, tagSpooled, 1)
	}
	b = appendString(b, tagReason, h.Reason)
	b = appendUint(b, tagSynced, uint64(h.Synced))
	if h.Superseded {
		b = appendUint(b, tagSuperseded, 1)
	}
	b = appendString(b, tagSource, h.Source)
	b = appendString(b, tagFactsOf, h.FactsOf)
	b = appendString(b, tagOrigin, h.Origin)
	b = appendString(b, tagClaim, h.Claim)
	var value []byte
	for i := range h.Sent {
		value = h.Sent[i].encode(value[:0])
		b = appendField(b, tagSent, value)
	}

	fields := len(b) - envelopeSize
	switch {
	case fields > maxFields && len(h.Sent) > 0:
		short := *h
		short.Sent = nil // no file is refused because of them
		return short.encode(generation)
	case fields > maxFields && h.Origin != "":
		short := *h
		short.Origin = "" // no file is refused because of it
		return short.encode(generation)
	case fields > maxFields:
		return nil, ErrNameTooLong
	}
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], h.version())
	binary.LittleEndian.PutUint32(b[12:], uint32(fields))
	binary.LittleEndian.PutUint64(b[16:], generation)
	return binary.LittleEndian.AppendUint32(b, checksum(b)), nil
}

// version returns the lowest format version that can represent h, so that an older ferry can open a
// cache without newer features.
func (h *header) version() uint32 {
	switch {
	case len(h.Sent) > 0:
		return versionSent
	case h.Claim != "":
		return versionClaim
	case h.Origin != "":
		return versionOrigin
	case h.FactsOf != "":
		return versionFacts
	case h.Kind > Dir:
		return versionMoves
	}
	return version
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func appendField(b []byte, tag byte, value []byte) []byte {
	b = binary.AppendUvarint(append(b, tag), uint64(len(value)))
	return append(b, value...)
}

func appendString(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	b = binary.AppendUvarint(append(b, tag), uint64(len(s)))
	return append(b, s...)
}

func appendUint(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	var value [binary.MaxVarintLen64]byte
	return appendField(b, tag, binary.AppendUvarint(value[:0], v))
}

// appendTime writes seconds since 1970, and nanoseconds.
func appendTime(b []byte, tag byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	var value [2 * binary.MaxVarintLen64]byte
	return appendField(b, tag, timeBytes(value[:0], t))
}

func timeBytes(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// encode appends the value of a field.
func (s *Sent) encode(b []byte) []byte {
	b = timeBytes(binary.AppendUvarint(b, uint64(max(s.Size, -1)+1)), s.ModTime)
	b = append(binary.AppendUvarint(b, uint64(len(s.Version))), s.Version...)
	return append(b, s.Name...)
}

// decodeHeader decodes the slot at the beginning of b. The error is errDamaged, or ErrVersion if
// the envelope is intact and the fields are of another version.
func decodeHeader(b []byte) (h header, generation uint64, err error) {
	if len(b) < envelopeSize+checksumSize || string(b[:8]) != magic {
		return h, 0, errDamaged
	}
	fields := binary.LittleEndian.Uint32(b[12:])
	if fields > maxFields || int(fields) > len(b)-envelopeSize-checksumSize {
		return h, 0, errDamaged
	}
	end := envelopeSize + int(fields)
	if binary.LittleEndian.Uint32(b[end:]) != checksum(b[:end]) {
		return h, 0, errDamaged
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v < version || v > versionSent {
		return h, 0, fmt.Errorf("%w: version %d", ErrVersion, v)
	}
	generation = binary.LittleEndian.Uint64(b[16:])
	for rest := b[envelopeSize:end]; len(rest) > 0; {
		tag := rest[0]
		n, used := binary.Uvarint(rest[1:])
		if used <= 0 || n > uint64(len(rest)-1-used) {
			return header{}, 0, errDamaged
		}
		value := rest[1+used:][:n]
		rest = rest[1+used+int(n):]
		if err := h.set(tag, value); err != nil {
			return header{}, 0, err
		}
	}
	return h, generation, nil
}

// set decodes one field.
func (h *header) set(tag byte, value []byte) error {
	f := fieldReader{rest: value}
	switch tag {
	case tagState:
		h.State = state(f.upTo(uint64(states) - 1))
	case tagKind:
		h.Kind = Kind(f.upTo(uint64(RemovedDir)))
	case tagName:
		h.Name = f.text()
	case tagOwner:
		h.Owner = f.text()
	case tagSeq:
		h.Seq = f.uint()
	case tagSize:
		h.Size = f.length()
	case tagModTime:
		h.ModTime = f.time()
	case tagCommitted:
		h.Committed = f.time()
	case tagBase:
		h.Base = Base(f.upTo(uint64(BasePresent)))
	case tagVersion:
		h.Version = f.text()
	case tagHash:
		h.Hash = f.text()
	case tagRemove:
		h.Removes = append(h.Removes, f.text())
		f.bad = len(value) == 0
	case tagHeld:
		h.Held = append(h.Held, extent{Off: f.length(), N: f.length()})
	case tagBoot:
		h.Boot = f.text()
	case tagSpooled:
		h.Spooled = f.upTo(1) == 1
	case tagReason:
		h.Reason = f.text()
	case tagSynced:
		h.Synced = f.length()
	case tagSuperseded:
		h.Superseded = f.upTo(1) == 1
	case tagSource:
		h.Source = f.text()
	case tagFactsOf:
		h.FactsOf = f.text()
	case tagOrigin:
		h.Origin = f.text()
	case tagClaim:
		h.Claim = f.text()
	case tagSent:
		h.Sent = append(h.Sent, Sent{Size: f.length() - 1, ModTime: f.time(), Version: f.bytes(), Name: f.text()})
	default:
		f.bad = true
	}
	if f.bad || len(f.rest) > 0 {
		return errDamaged
	}
	return nil
}
