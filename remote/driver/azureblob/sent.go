package azureblob

import (
	"encoding"
	"encoding/json"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// sentBlocks is what objects.Sent keeps of blocks.
type sentBlocks struct {
	Blocks []sentBlock `json:"blocks"`
	// Base is the version of the blob that the first blocks are of; the others are not committed.
	Base string `json:"base,omitempty"`
	// Sum is the state of the MD5 behind the last block; nil = there is none.
	Sum []byte `json:"md5,omitempty"`
}

// A sentBlock is one that the service has confirmed.
type sentBlock struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`
}

func (b sentBlocks) sent() objects.Sent {
	var s objects.Sent
	for _, block := range b.Blocks {
		s.Size += block.Size
	}
	if s.Size > 0 {
		s.State, _ = json.Marshal(b) // never fails
	}
	return s
}

// sentOf reads what another process has written down.
func sentOf(sent objects.Sent) (b sentBlocks, err error) {
	if err := json.Unmarshal(sent.State, &b); err != nil || b.sent().Size != sent.Size {
		return b, remote.ErrNotExist
	}
	return b, nil
}

// A mark is a block of a draft, in the order of the content.
type mark struct {
	sentBlock
	sum       []byte // the state of the MD5 behind it
	confirmed bool   // without asking
}

// summedMarks is of how many blocks the sums are remembered: of more than are on their way.
const summedMarks = 256

// mark notes a block that follows those before.
func (d *draft) mark(id string, size int64, confirmed bool) {
	m := mark{sentBlock: sentBlock{id, size}, confirmed: confirmed}
	if sum, ok := d.sum.(encoding.BinaryMarshaler); ok && !confirmed {
		m.sum, _ = sum.MarshalBinary() // never fails
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.marks = append(d.marks, m)
	if n := len(d.marks) - summedMarks; n > 0 {
		d.marks[n-1].sum = nil
	}
}
