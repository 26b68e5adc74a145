package readahead

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

	"ferry/cache"
)

func TestWhatIsEvictedUnderAReaderIsFetchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, Options{Buffer: 16 << 20, Store: newStore(t, 4<<20)})
		data := content(3 << 20)
		b.put("f", data)
		b.wantFile("f", data)
		rc := b.open("f", 0)
		defer closeReader(t, rc)
		r := rc.(*reader)
		r.file.mu.Lock()
		r.active++
		r.rampUp.wait = 1 << 30 // no more than this one
		r.spawn(r.work)         // finds everything there
		r.file.mu.Unlock()
		synctest.Wait()
		other, err := b.opt.Store.Copy("other", cache.Fingerprint{Version: "1", Size: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer closeReader(t, other)
		for off := int64(0); off < 4<<20 && r.file.copy.Held(0) > 0; off += blockSize {
			if err := other.WriteAt(data[:blockSize], off); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(rc); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}
