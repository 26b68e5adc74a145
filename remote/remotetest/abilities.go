package remotetest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"strings"
	"time"

	"ferry/remote"
)

// abilityTests go through the helpers of package remote. What they answer with ErrUnsupported is a
// thing the remote cannot do, unless its Caps say that it can.
func abilityTests() []test {
	return []test{
		{"Copy makes a file of the same content", func(s *suite) {
			s.mkdir("d")
			s.put("f", "content")
			s.ok(remote.Copy(s.ctx, s.r, "f", "d/g"))
			s.holds("d/g", "content")
			s.holds("f", "content")
		}},
		{"Copy replaces a file", func(s *suite) {
			s.put("f", "new")
			s.put("g", "old content")
			s.ok(remote.Copy(s.ctx, s.r, "f", "g"))
			s.holds("g", "new")
		}},
		{"a copy does not follow its original", func(s *suite) {
			s.put("f", "one")
			s.ok(remote.Copy(s.ctx, s.r, "f", "g"))
			s.put("f", "two")
			s.holds("g", "one")
		}},
		{"Copy refuses what Put refuses", func(s *suite) {
			s.put("f", "x")
			s.mkdir("d")
			s.put("d/f", "y")
			s.fails(remote.Copy(s.ctx, s.r, "f", "d"), remote.ErrIsDir)
			s.fails(remote.Copy(s.ctx, s.r, "d", "g"), remote.ErrIsDir)
			s.fails(remote.Copy(s.ctx, s.r, "none", "g"), remote.ErrNotExist)
			s.fails(remote.Copy(s.ctx, s.r, "f", "../g"), remote.ErrInvalid)
			if !s.caps.ImplicitDirs {
				s.fails(remote.Copy(s.ctx, s.r, "f", "none/f"), remote.ErrNotExist)
			}
			s.holds("d/f", "y")
			s.gone("g")
		}},
		{"RemoveVersion removes the file that was described", func(s *suite) {
			s.put("f", "x")
			was := s.stat("f")
			s.ok(remote.RemoveVersion(s.ctx, s.r, "f", was))
			s.gone("f")
			s.fails(remote.RemoveVersion(s.ctx, s.r, "f", was), remote.ErrNotExist)
		}},
		{"RemoveVersion leaves what has come since", func(s *suite) {
			for range 2 { // a driver may learn by the first one what its server can do
				s.put("f", "old")
				was := s.stat("f")
				s.put("f", "something newer")
				s.fails(remote.RemoveVersion(s.ctx, s.r, "f", was), remote.ErrChanged)
				s.holds("f", "something newer")
				s.ok(remote.RemoveVersion(s.ctx, s.r, "f", s.stat("f")))
				s.gone("f")
			}
		}},
		{"RemoveVersion refuses what Remove refuses", func(s *suite) {
			s.put("f", "x")
			s.mkdir("d")
			s.put("d/f", "y")
			was := s.stat("f")
			s.fails(remote.RemoveVersion(s.ctx, s.r, "none", was), remote.ErrNotExist)
			s.fails(remote.RemoveVersion(s.ctx, s.r, "../f", was), remote.ErrInvalid)
			s.fails(remote.RemoveVersion(s.ctx, s.r, "d", was), remote.ErrIsDir, remote.ErrChanged)
			s.holds("d/f", "y")
		}},
		{"SetModTime sets the modification time", setModTime},
		{"SetModTime keeps a time or refuses it", keepsOrRefuses},
		{"Put takes a file whose time cannot be kept", putAtOddTimes},
		{"SetMode sets the permission bits", setMode},
		{"Hash is the digest of the content", hash},
		{"Usage is not below -1", func(s *suite) {
			u, err := remote.GetUsage(s.ctx, s.r)
			if errors.Is(err, remote.ErrUnsupported) {
				return
			}
			s.ok(err)
			if u.Total < -1 || u.Used < -1 || u.Free < -1 || u.Total >= 0 && u.Free > u.Total {
				s.Errorf("%+v", u)
			}
		}},
		{"the abilities end with their context", func(s *suite) {
			s.put("f", "x")
			ctx, cause := ended(s.ctx)
			s.fails(remote.SetModTime(ctx, s.r, "f", time.Now()), cause, ctx.Err(), remote.ErrUnsupported)
			s.fails(remote.SetMode(ctx, s.r, "f", 0o600), cause, ctx.Err(), remote.ErrUnsupported)
			_, err := remote.Hash(ctx, s.r, "f", "md5")
			s.fails(err, cause, ctx.Err(), remote.ErrUnsupported)
			_, err = remote.GetUsage(ctx, s.r)
			s.fails(err, cause, ctx.Err(), remote.ErrUnsupported)
			s.fails(remote.Copy(ctx, s.r, "f", "g"), cause, ctx.Err())
			s.gone("g")
		}},
	}
}

func setModTime(s *suite) {
	s.put("f", "x")
	for _, when := range []time.Time{
		time.Date(1999, 12, 31, 23, 59, 58, 123_456_789, time.UTC),
		time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC), // beyond 32 bits
	} {
		err := remote.SetModTime(s.ctx, s.r, "f", when)
		if errors.Is(err, remote.ErrUnsupported) {
			return
		}
		s.ok(err)
		if got := s.stat("f").ModTime; !s.sameTime(got, when) {
			s.Errorf("%v became %v", when, got)
		}
	}
	s.holds("f", "x")
	s.fails(remote.SetModTime(s.ctx, s.r, "none", time.Now()), remote.ErrNotExist)
}

// oddTimes are such as some storages cannot keep.
func oddTimes() []time.Time {
	var times []time.Time
	for _, year := range []int{0, 1, 1600, 1900, 1902, 1969, 1970, 1979, 2038, 2107, 2108, 2262, 2263, 2447, 2500, 9999} {
		times = append(times, time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC))
	}
	return append(times, time.Unix(0, 0), time.Unix(-1, 0), time.Unix(1, 0), time.Unix(1<<31, 0), time.Unix(1<<32, 0))
}

func keepsOrRefuses(s *suite) {
	s.put("f", "x")
	before := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := remote.SetModTime(s.ctx, s.r, "f", before); errors.Is(err, remote.ErrUnsupported) {
		return
	}
	for _, want := range oddTimes() {
		checked := remote.CheckTime(s.r, "f", want)
		if checked != nil {
			s.fails(checked, remote.ErrInvalid, remote.ErrUnsupported)
		}
		err := remote.SetModTime(s.ctx, s.r, "f", want)
		if err != nil {
			s.fails(err, remote.ErrInvalid)
			want = before
		}
		if !errors.Is(checked, remote.ErrUnsupported) && (checked == nil) != (err == nil) {
			s.Errorf("%v: CheckTime says %v, SetModTime %v", want, checked, err)
		}
		got := s.stat("f").ModTime
		if !s.sameTime(got, want) {
			s.Errorf("%v became %v after %v", want, got.UTC(), err)
		}
		before = got
	}
	s.holds("f", "x")
}

func putAtOddTimes(s *suite) {
	for _, when := range oddTimes() {
		if _, err := s.r.Put(s.ctx, "f", strings.NewReader("x"), remote.PutOptions{ModTime: when}); err != nil {
			s.Errorf("%v: %v", when, err)
		}
	}
	s.holds("f", "x")
}

func setMode(s *suite) {
	s.put("f", "x")
	for _, perm := range []fs.FileMode{0o600, 0o644, 0o755} {
		err := remote.SetMode(s.ctx, s.r, "f", perm)
		if errors.Is(err, remote.ErrUnsupported) {
			if s.caps.Modes {
				s.Error("the remote keeps modes but cannot set them")
			}
			return
		}
		s.ok(err)
		if got := s.stat("f").Mode; s.caps.Modes && got != perm {
			s.Errorf("%v became %v", perm, got)
		}
	}
	s.holds("f", "x")
	s.fails(remote.SetMode(s.ctx, s.r, "none", 0o600), remote.ErrNotExist)
}

func hash(s *suite) {
	content := pattern(100_000)
	s.put("f", content)
	s.mkdir("d")
	s.put("d/f", "x")
	md5sum, sha1sum := md5.Sum([]byte(content)), sha1.Sum([]byte(content))
	sha256sum, sha512sum := sha256.Sum256([]byte(content)), sha512.Sum512([]byte(content))
	for algorithm, want := range map[string][]byte{
		"md5":    md5sum[:],
		"sha1":   sha1sum[:],
		"sha256": sha256sum[:],
		"sha512": sha512sum[:],
		"crc32":  binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(content))),
	} {
		got, err := remote.Hash(s.ctx, s.r, "f", algorithm)
		if errors.Is(err, remote.ErrUnsupported) {
			continue
		}
		s.ok(err)
		if !bytes.Equal(got, want) {
			s.Errorf("%s is %x, want %x", algorithm, got, want)
		}
		_, err = remote.Hash(s.ctx, s.r, "none", algorithm)
		s.fails(err, remote.ErrNotExist)
		_, err = remote.Hash(s.ctx, s.r, "d", algorithm)
		s.fails(err, remote.ErrIsDir)
	}
	_, err := remote.Hash(s.ctx, s.r, "f", "no such algorithm")
	s.fails(err, remote.ErrUnsupported)
}
