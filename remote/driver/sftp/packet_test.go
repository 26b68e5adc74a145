package sftp

import (
	"encoding/binary"
	"io/fs"
	"testing"
	"time"

	"ferry/remote/network"
)

func TestMetaOfAPacket(t *testing.T) {
	b := binary.BigEndian.AppendUint32(nil, attrSize|attrOwner|attrMode|attrTimes|attrExtended)
	b = binary.BigEndian.AppendUint64(b, 1<<40)
	b = append(b, make([]byte, 8)...)
	b = binary.BigEndian.AppendUint32(b, 0o040755)
	b = append(b, 0, 0, 0, 1, 0xf0, 0, 0, 0) // read in 1970, written in 2097
	b = binary.BigEndian.AppendUint32(b, 1)
	b = appendString(appendString(b, "name"), "value")
	b = append(b, "rest"...)
	p := packet{rest: b}
	m := p.meta("d")
	if p.bad || string(p.rest) != "rest" {
		t.Fatalf("bad %v, left %q", p.bad, p.rest)
	}
	if m.name != "d" || m.size != 1<<40 || m.mode != fs.ModeDir|0o755 || !m.perms || !m.modTime.Equal(time.Unix(0xf0000000, 0)) {
		t.Errorf("%+v", m)
	}
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 1, 'f', 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0x81, 0xa4})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		p := packet{rest: b}
		d := directory{bound: network.Options{}.Listing()}
		more, err := d.eachOf(t.Context(), &p, func(m *meta) (bool, error) {
			n++
			if len(m.name) > len(b) {
				t.Errorf("a name of %d bytes out of %d", len(m.name), len(b))
			}
			return true, nil
		})
		if more == (err != nil) || n > len(b) {
			t.Errorf("%d entries, %v, %v", n, more, err)
		}
	})
}
