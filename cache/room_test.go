package cache

import (
	"errors"
	"testing"

	"ferry/disk"
	"ferry/disk/disktest"
)

// narrow is a disk with so many bytes free, that may refuse to be written.
type narrow struct {
	disk.Disk
	free   int64
	err    error // of Free
	broken error // of OpenFile
}

func (n *narrow) Free() (int64, error) { return n.free, n.err }

func (n *narrow) OpenFile(name string, flag int) (disk.File, error) {
	if n.broken != nil {
		return nil, n.broken
	}
	return n.Disk.OpenFile(name, flag)
}

func TestFree(t *testing.T) {
	for _, test := range []struct {
		limit, reserve, onDisk, want int64
		err                          error
	}{
		{0, 0, 500, 500, nil},
		{0, 200, 500, 300, nil},
		{0, 600, 500, -100, nil},
		{100, 200, 500, 100, nil},
		{1000, 200, 500, 300, nil},
		{1000, 0, 0, 1000, errors.ErrUnsupported},
	} {
		d := &narrow{Disk: disktest.New(), free: test.onDisk, err: test.err}
		s := openStore(t, d, Options{MaxSize: test.limit, MinFree: test.reserve})
		if got, err := s.Free(); got != test.want || err != nil {
			t.Errorf("%+v: %d, %v", test, got, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	s := openStore(t, &narrow{Disk: disktest.New(), err: errors.ErrUnsupported}, Options{})
	defer s.Close()
	if _, err := s.Free(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("nothing is known, but the error is %v", err)
	}
}

func TestCheckWritable(t *testing.T) {
	d := &narrow{Disk: disktest.New()}
	s := openStore(t, d, Options{})
	defer s.Close()
	for range 2 {
		if err := s.CheckWritable(); err != nil {
			t.Error(err)
		}
	}
	for e, err := range d.ReadDir(tmpDir) {
		t.Errorf("%v is left behind (%v)", e, err)
	}
	d.broken = errors.New("read-only file system")
	if err := s.CheckWritable(); !errors.Is(err, d.broken) {
		t.Errorf("a disk that refuses: %v", err)
	}
}

// What is evicted is counted, what is dropped for another reason is not.
func TestEvictionsAreCounted(t *testing.T) {
	s := openStore(t, disktest.New(), Options{MaxSize: 3 << 20})
	defer s.Close()
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		c := openCopy(t, s, name, "v1", 1<<20)
		put(t, c, 0, 1<<20)
		closeCopy(t, c)
		now := s.Stats()
		if want := uint64(i + 1 - now.Clean.Files); now.Evictions != want || i == 5 && want < 2 {
			t.Errorf("after %s there were %d evictions, not %d", name, now.Evictions, want)
		}
	}
	before := s.Stats().Evictions
	if err := s.Forget("f"); err != nil || s.Stats().Evictions != before {
		t.Errorf("%v, %d evictions", err, s.Stats().Evictions)
	}
}
