package test

import "testing"

// On an object store a directory lives until it is removed, and nothing comes below a file, in
// every cache mode and by every command.
func TestDirectoriesOfAnObjectStore(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "0s")
			c := f.login()
			c.upload("STOR inbox/one.pdf", []byte("x"))
			f.drained()
			f.again() // nothing is remembered
			c = f.login()
			c.do("CWD /inbox", 250)
			c.do("DELE one.pdf", 250)
			c.do("CWD /inbox", 250)
			c.do("MLST /inbox", 250)
			c.do("RMD /inbox", 250)
			c.do("CWD /inbox", 550)
			c.do("CWD /", 250)

			c.upload("STOR d/f", []byte("x"))
			f.drained()
			f.again()
			c = f.login()
			c.do("RNFR d/f", 350)
			c.do("RNTO f", 250)
			c.do("CWD /d", 250)
			c.do("RMD /d", 250)
			c.do("CWD /", 250)

			c.upload("STOR y", []byte("x"))
			f.drained()
			f.again()
			c = f.login()
			for _, command := range []string{"STOR y/z", "APPE y/a", "STOR y/a/b"} {
				c.do("EPSV", 229)
				c.do(command, 550)
			}
			c.do("MKD y/d", 550)
			c.do("RNFR f", 350)
			c.do("RNTO y/q", 550)
			c.upload("STOR tree/f", []byte("x"))
			f.drained()
			c.do("RNFR tree", 350)
			c.do("RNTO y/t", 550)
			for _, command := range []string{"STOR tree", "APPE tree"} {
				c.do("EPSV", 229)
				c.do(command, 550)
			}
			f.again()
			c = f.login()
			c.do("EPSV", 229)
			c.do("STOR tree", 550)
		})
	}
}

// A directory that nobody made, and of which nothing has been sent yet, lives until it is removed
// as well.
func TestDirectoriesOfWhatWaitsForAnObjectStore(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "1h")
			c := f.login()
			c.upload("STOR inbox/one.pdf", []byte("x"))
			c.upload("STOR moved/one.pdf", []byte("x"))
			c.upload("STOR a/b/c/f", []byte("x"))
			c.do("CWD /inbox", 250)
			c.do("DELE one.pdf", 250)
			c.do("RNFR /moved/one.pdf", 350)
			c.do("RNTO /one.pdf", 250)
			c.do("DELE /a/b/c/f", 250)
			f.restart()
			c = f.login()
			for _, dir := range []string{"/inbox", "/moved", "/a/b/c", "/a/b", "/a"} {
				c.do("CWD "+dir, 250)
				c.do("MLST "+dir, 250)
				c.do("CWD /", 250)
				c.do("RMD "+dir, 250)
				c.do("CWD "+dir, 550)
			}
		})
	}
}
