package remotetest

import (
	"strings"

	"ferry/remote"
)

func onFile(off int64) remote.StageOptions {
	return remote.StageOptions{Owner: alice, Base: remote.BaseFile, Off: off}
}

func onPart(off int64) remote.StageOptions {
	return remote.StageOptions{Owner: alice, Base: remote.BasePart, Off: off}
}

func fromPart(off int64) remote.StageOptions {
	return remote.StageOptions{Owner: alice, From: bob, Base: remote.BasePart, Off: off}
}

func baseFileTests() []test {
	return []test{
		{"BaseFile keeps the first bytes of the published file", func(s *suite) {
			for off, want := range map[int64]string{0: "ABC", 1: "0ABC", 5: "01234ABC", 10: "0123456789ABC"} {
				s.put("f", "0123456789")
				u := s.stage("f", onFile(off))
				u.write("ABC")
				u.publish()
				s.holds("f", want)
			}
		}},
		{"BaseFile at its end keeps all of it", func(s *suite) {
			content := pattern(2<<20 + 5)
			s.put("f", content)
			u := s.stage("f", onFile(remote.AtEnd))
			u.write("more")
			u.publish()
			s.holds("f", content+"more")
		}},
		{"BaseFile leaves the published file as it is", func(s *suite) {
			s.put("f", "0123456789")
			u := s.stage("f", onFile(5))
			u.write("ABC")
			s.holds("f", "0123456789")
			u.keep()
			s.holds("f", "0123456789")
			s.hasPart("f", alice, 8)
			u = s.stage("f", onFile(2))
			u.write("x")
			s.ok(u.Abort())
			s.holds("f", "0123456789")
		}},
		{"more than the file has is ErrInvalid", func(s *suite) {
			s.put("f", "0123456789")
			s.stageFails("f", onFile(11), remote.ErrInvalid)
			s.holds("f", "0123456789")
		}},
		{"BaseFile without a file is ErrNotExist", func(s *suite) {
			s.stageFails("f", onFile(0), remote.ErrNotExist)
			s.stageFails("f", onFile(remote.AtEnd), remote.ErrNotExist)
			s.lists(".", "")
		}},
	}
}

func basePartTests() []test {
	return []test{
		{"BasePart continues what the owner left", func(s *suite) {
			s.keepPart("f", alice, "01234")
			u := s.stage("f", onPart(remote.AtEnd))
			u.write("56789")
			u.publish()
			s.holds("f", "0123456789")
			s.noPart("f", alice)
			s.lists(".", "f")
		}},
		{"BasePart cuts off what lies behind", func(s *suite) {
			for off, want := range map[int64]string{0: "ABC", 2: "01ABC", 5: "01234ABC"} {
				s.keepPart("f", alice, "01234")
				u := s.stage("f", onPart(off))
				u.write("ABC")
				u.publish()
				s.holds("f", want)
			}
			s.keepPart("f", alice, "01234")
			s.stage("f", onPart(3)).publish()
			s.holds("f", "012")
		}},
		{"a part becomes the stage", func(s *suite) {
			s.keepPart("f", alice, "01234")
			u := s.stage("f", onPart(5))
			s.noPart("f", alice)
			s.stageFails("f", onPart(5), remote.ErrNotExist)
			s.ok(u.Abort())
			s.noPart("f", alice)
		}},
		{"a part can be continued any number of times", func(s *suite) {
			want := "0"
			s.keepPart("f", alice, want)
			for i := range 10 {
				u := s.stage("f", onPart(remote.AtEnd))
				piece := pattern(i + 1)
				u.write(piece)
				want += piece
				u.keep()
				s.hasPart("f", alice, len(want))
			}
			s.stage("f", onPart(remote.AtEnd)).publish()
			s.holds("f", want)
		}},
		{"more than the part has is ErrInvalid and leaves it", func(s *suite) {
			s.keepPart("f", alice, "01234")
			s.stageFails("f", onPart(6), remote.ErrInvalid)
			s.hasPart("f", alice, 5)
		}},
		{"BasePart without a part is ErrNotExist", func(s *suite) {
			s.put("f", "x")
			s.keepPart("f", bob, "of bob")
			s.stageFails("f", onPart(0), remote.ErrNotExist)
			s.stageFails("f", onPart(remote.AtEnd), remote.ErrNotExist)
			s.hasPart("f", bob, 6)
		}},
		{"From takes over the part of another owner", func(s *suite) {
			s.keepPart("f", alice, "own")
			s.keepPart("f", bob, "01234")
			u := s.stage("f", fromPart(5))
			s.hasPart("f", alice, 3)
			s.noPart("f", bob)
			s.stageFails("f", fromPart(5), remote.ErrNotExist)
			u.write("567")
			u.keep()
			s.hasPart("f", alice, 8)
			s.noPart("f", bob)
			u = s.stage("f", onPart(8))
			u.write("89")
			u.publish()
			s.holds("f", "0123456789")
			s.noPart("f", alice)
		}},
		{"From elsewhere than at its end is ErrInvalid and leaves it", func(s *suite) {
			s.keepPart("f", bob, "01234")
			for _, off := range []int64{remote.AtEnd, 0, 4, 6} {
				s.stageFails("f", fromPart(off), remote.ErrInvalid)
			}
			s.hasPart("f", bob, 5)
			s.noPart("f", alice)
		}},
		{"a part of the longest name can be continued", func(s *suite) {
			name := strings.Repeat("n", 255)
			if s.caps.MaxName > 0 {
				name = strings.Repeat("n", s.caps.MaxName)
			}
			other := name[1:] + "m"
			s.keepPart(name, alice, "01234")
			s.keepPart(other, alice, "other")
			s.hasPart(name, alice, 5)
			u := s.stage(name, onPart(5))
			u.write("56789")
			u.publish()
			s.holds(name, "0123456789")
			s.hasPart(other, alice, 5)
		}},
	}
}

func noPartTests() []test {
	return []test{
		{"Keep forgets what was written", func(s *suite) {
			s.put("f", "old")
			s.keepPart("f", alice, "hello")
			s.keepPart("g", alice, "hello")
			s.noPart("f", alice)
			s.noPart("g", alice)
			s.holds("f", "old")
			s.lists(".", "f")
			s.fails(s.stager().DropPart(s.ctx, "g", alice), remote.ErrNotExist)
		}},
		{"BasePart is ErrNotExist", func(s *suite) {
			s.keepPart("f", alice, "hello")
			s.stageFails("f", onPart(0), remote.ErrNotExist)
			s.stageFails("f", onPart(remote.AtEnd), remote.ErrNotExist)
		}},
		{"a name or an owner that is not valid is ErrInvalid", invalidParts},
	}
}

func partTests() []test {
	return []test{
		{"List yields it with its owner", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.keepPart("d/f", alice, "part of f")
			s.keepPart("d/g", alice, "part of g")
			s.keepPart("d/g", bob, "part of g by bob")
			s.lists("d", "alice01:f alice01:g bob02:g f")
			s.lists(".", "d")
			e := s.list("d")["bob02:g"]
			if e.Name != "g" || e.Size != 16 || e.Part != bob || e.Dir {
				s.Errorf("%+v", e)
			}
		}},
		{"DropPart forgets it", func(s *suite) {
			s.keepPart("f", alice, "hello")
			s.keepPart("f", bob, "hello")
			s.ok(s.stager().DropPart(s.ctx, "f", alice))
			s.noPart("f", alice)
			s.hasPart("f", bob, 5)
			s.lists(".", "bob02:f")
		}},
		{"DropPart of what is not there is ErrNotExist", func(s *suite) {
			s.put("f", "x")
			s.fails(s.stager().DropPart(s.ctx, "f", alice), remote.ErrNotExist)
			s.fails(s.stager().DropPart(s.ctx, "none/f", alice), remote.ErrNotExist)
			s.holds("f", "x")
		}},
		{"Part of what is not there is ErrNotExist", func(s *suite) {
			s.put("f", "x")
			s.noPart("f", alice)
			s.noPart("none", alice)
			if !s.caps.ImplicitDirs {
				s.noPart("none/none", alice)
			}
		}},
		{"a name or an owner that is not valid is ErrInvalid", invalidParts},
		{"it does not make a directory full", func(s *suite) {
			s.mkdir("d")
			s.keepPart("d/f", alice, "hello")
			s.keepPart("d/g", bob, "hello")
			s.ok(s.r.Rmdir(s.ctx, "d"))
			s.gone("d")
			s.mkdir("d")
			s.noPart("d/f", alice)
		}},
		{"it is listed in a directory that is missing, and goes with that", func(s *suite) {
			if !s.caps.ImplicitDirs {
				return
			}
			s.keepPart("d/f", alice, "hello")
			s.keepPart("d/f", bob, "hello")
			listed := 0
			for e, err := range s.r.List(s.ctx, "d") {
				if err != nil {
					s.fails(err, remote.ErrNotExist)
				} else if e.Part != "" {
					listed++
				}
			}
			if listed != 2 {
				s.Errorf("%d are listed", listed)
			}
			s.fails(s.r.Rmdir(s.ctx, "d"), remote.ErrNotExist, nil) // a tree of several may have it
			s.noPart("d/f", alice)
			s.noPart("d/f", bob)
		}},
		{"a full directory keeps it", func(s *suite) {
			s.mkdir("d")
			s.put("d/f", "x")
			s.keepPart("d/f", alice, "hello")
			s.fails(s.r.Rmdir(s.ctx, "d"), remote.ErrNotEmpty)
			s.hasPart("d/f", alice, 5)
		}},
		{"it stays when the file of that name goes", func(s *suite) {
			s.put("f", "x")
			s.keepPart("f", alice, "hello")
			s.remove("f")
			s.hasPart("f", alice, 5)
		}},
	}
}

func invalidParts(s *suite) {
	for _, c := range []struct{ name, owner string }{{"../f", alice}, {"f", ""}, {"f", "a.b"}, {"f", "../x"}} {
		_, err := s.stager().Part(s.ctx, c.name, c.owner)
		s.fails(err, remote.ErrInvalid)
		s.fails(s.stager().DropPart(s.ctx, c.name, c.owner), remote.ErrInvalid)
	}
}
