package handover

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"ferry/cache"
	"ferry/writeback"
)

// A record is stored as one file: eight bytes that name the format, its version and the length of
// the header as little-endian numbers of four bytes, the header as JSON, the content, and the
// SHA-256 of all before.
const (
	magic   = "ferryhnd"
	version = 1
	prelude = len(magic) + 4 + 4
	// maxHeader is more than a header of the disk cache can hold.
	maxHeader = 64 << 10
)

var (
	errDamaged = errors.New("it is damaged")
	errVersion = errors.New("a newer ferry has written it: update this one")
)

// A header describes a record. Names may be of any bytes, and so are base64 in JSON.
type header struct {
	Tree        string     `json:"tree"`
	Node        string     `json:"node"`
	Kind        cache.Kind `json:"kind"`
	Name        []byte     `json:"name"`
	Source      []byte     `json:"source,omitempty"`
	Removes     [][]byte   `json:"removes,omitempty"`
	FactsOf     []byte     `json:"facts_of,omitempty"`
	Origin      []byte     `json:"origin,omitempty"`
	Size        int64      `json:"size"`
	ModTime     time.Time  `json:"mod_time,omitzero"`
	Base        cache.Base `json:"base"`
	BaseVersion []byte     `json:"base_version,omitempty"`
	Committed   time.Time  `json:"committed"`
	InDoubt     bool       `json:"in_doubt,omitempty"`
	Sent        []sent     `json:"sent,omitempty"`
}

// A sent is a cache.Sent.
type sent struct {
	Name    []byte    `json:"name,omitempty"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mod_time,omitzero"`
	Version []byte    `json:"version,omitempty"`
}

// headerOf describes what is offered.
func headerOf(tree, node string, o *writeback.Offered) header {
	h := header{
		Tree: tree, Node: node, Kind: o.Kind, Name: []byte(o.Name), Source: []byte(o.Source), FactsOf: []byte(o.FactsOf), Origin: []byte(o.Origin),
		Size: o.Size, ModTime: o.ModTime, Base: o.Base, BaseVersion: []byte(o.BaseVersion), Committed: o.Committed, InDoubt: o.InDoubt,
	}
	for _, name := range o.Removes {
		h.Removes = append(h.Removes, []byte(name))
	}
	for _, s := range o.Sent {
		h.Sent = append(h.Sent, sent{Name: []byte(s.Name), Size: s.Size, ModTime: s.ModTime, Version: []byte(s.Version)})
	}
	return h
}

// record returns the record that h describes, without what a store gives it.
func (h *header) record() cache.Record {
	r := cache.Record{
		Kind: h.Kind, Name: string(h.Name), Source: string(h.Source), FactsOf: string(h.FactsOf), Origin: string(h.Origin),
		Size: h.Size, ModTime: h.ModTime, Base: h.Base, BaseVersion: string(h.BaseVersion), Committed: h.Committed,
	}
	for _, name := range h.Removes {
		r.Removes = append(r.Removes, string(name))
	}
	for _, s := range h.Sent {
		r.Sent = append(r.Sent, cache.Sent{Name: string(s.Name), Size: s.Size, ModTime: s.ModTime, Version: string(s.Version)})
	}
	return r
}

// content returns how many bytes of content follow the header.
func (h *header) content() int64 {
	if h.Kind == cache.File {
		return h.Size
	}
	return 0
}

// encode returns the whole file, and its length. content may be nil where there is none.
func encode(h *header, content io.Reader) (io.Reader, int64, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, 0, err
	}
	if len(text) > maxHeader {
		return nil, 0, fmt.Errorf("the header has %d bytes: %w", len(text), cache.ErrNameTooLong)
	}
	head := binary.LittleEndian.AppendUint32([]byte(magic), version)
	head = append(binary.LittleEndian.AppendUint32(head, uint32(len(text))), text...)
	sum := &summed{sum: sha256.New()}
	sum.sum.Write(head)
	sum.head = head
	if content != nil {
		sum.content = io.TeeReader(content, sum.sum)
	}
	return sum, int64(len(head)) + h.content() + sha256.Size, nil
}

// summed reads a head, a content and then the sum of both.
type summed struct {
	head    []byte
	content io.Reader // nil = it has ended
	sum     hash.Hash
	tail    []byte
	ended   bool
}

// Read implements io.Reader.
func (s *summed) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	if s.content != nil {
		n, err := s.content.Read(p)
		if err != io.EOF {
			return n, err
		}
		s.content = nil
		if n > 0 {
			return n, nil
		}
	}
	if !s.ended {
		s.ended, s.tail = true, s.sum.Sum(nil)
	}
	n := copy(p, s.tail)
	if s.tail = s.tail[n:]; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// decode reads a file up to its content, and writes that by create, which is called once if the
// header is good. It returns errDamaged for what encode has not written, and errVersion.
func decode(r io.Reader, create func(h *header) (io.Writer, error)) (*header, error) {
	sum := sha256.New()
	r = io.TeeReader(r, sum)
	head := make([]byte, prelude)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, short(err)
	}
	n := binary.LittleEndian.Uint32(head[len(magic)+4:])
	switch v := binary.LittleEndian.Uint32(head[len(magic):]); {
	case string(head[:len(magic)]) != magic:
		return nil, errDamaged
	case v != version:
		return nil, errVersion
	case n > maxHeader:
		return nil, errDamaged
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, short(err)
	}
	h := &header{}
	if err := json.Unmarshal(text, h); err != nil || h.Size < 0 || h.Kind > cache.RemovedDir || h.Base > cache.BasePresent {
		return nil, errDamaged
	}
	to, err := create(h)
	if err != nil {
		return nil, err
	}
	if err := copyExactly(to, r, h.content()); err != nil {
		return nil, err
	}
	want, got := sum.Sum(nil), make([]byte, sha256.Size+1)
	if n, err := io.ReadFull(r, got); !errors.Is(err, io.ErrUnexpectedEOF) || n != sha256.Size {
		return nil, short(err)
	}
	if string(want) != string(got[:sha256.Size]) {
		return nil, errDamaged
	}
	return h, nil
}

func copyExactly(to io.Writer, r io.Reader, n int64) error {
	if n == 0 {
		return nil
	}
	got, err := io.Copy(to, io.LimitReader(r, n))
	if err == nil && got < n {
		err = errDamaged
	}
	return err
}

// short returns the error of reading less, or more, than there must be.
func short(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errDamaged
	}
	return err
}
