package registry

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/union"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
	"ferry/remote/remotetest/servers/sshserver"
	"ferry/remote/wrap/retry"
)

// A beneath is a server on which remotes that are made of others keep what they keep.
type beneath struct {
	addr  string
	fresh func(t *testing.T, addr string) remote.Remote // an empty directory, by way of addr
}

func (b beneath) direct(t *testing.T) remote.Remote { return b.fresh(t, b.addr) }

// bucketServer is an S3 server.
func bucketServer(t *testing.T) beneath {
	t.Helper()
	gateway := servers.StartGateway(t, "key", "s3cret", "bucket")
	var made atomic.Int32
	return beneath{gateway.Addr, func(t *testing.T, addr string) remote.Remote {
		// It keeps objects as files, and directories with some more bytes in their names; its
		// listings are XML, in which control characters cannot be.
		return openOwn(t, fmt.Sprintf(`:s3,provider=Other,endpoint="http://%s",access_key_id=key,secret_access_key=s3cret,max_name=246,`+
			`encoding="Slash,Ctl,InvalidUtf8,Dot":bucket/%d`, addr, made.Add(1)))
	}}
}

// loginServer is the SFTP server of OpenSSH.
func loginServer(t *testing.T) beneath {
	t.Helper()
	root := t.TempDir() // outlives the server, which may carry out late what it was asked for
	s := sshserver.Start(t, sshserver.OpenSSH(t))
	return beneath{s.Addr, func(t *testing.T, addr string) remote.Remote {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		return openOwn(t, fmt.Sprintf(`:sftp,host=%s,port=%s,user=bob,pass=%s:%s`, host, port, config.Obscure(sshserver.Password), filepath.ToSlash(dir)))
	}}
}

// openOwn opens a remote that the caller closes.
func openOwn(t *testing.T, remoteString string) remote.Remote {
	t.Helper()
	r, err := openSettings(t, "", remoteString)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// encrypted is r behind keys that took no time to make.
func encrypted(t *testing.T, r remote.Remote) remote.Remote {
	t.Helper()
	c, err := crypt.New(r, crypt.Options{Keys: cipher.Keys{Data: [32]byte{1}, Name: [32]byte{2}, Tweak: [16]byte{3}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onlyNames is r behind a crypt that leaves contents as they are: it can continue what was cut.
func onlyNames(t *testing.T, r remote.Remote) remote.Remote {
	t.Helper()
	c, err := crypt.New(r, crypt.Options{Keys: cipher.Keys{Name: [32]byte{2}, Tweak: [16]byte{3}}, PlainData: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// united lays remotes over one another.
func united(t *testing.T, o union.Options, all ...remote.Remote) remote.Remote {
	t.Helper()
	for _, r := range all {
		o.Upstreams = append(o.Upstreams, union.Upstream{Remote: r})
	}
	u, err := union.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// allSuites reports whether there is time for those that only make soak runs.
func allSuites() bool { return os.Getenv("FERRY_TEST_SUITES") == "full" }

// TestSuites: what is made of others keeps the contracts on real servers, too.
func TestSuites(t *testing.T) {
	t.Parallel()
	s3, sftp := bucketServer(t), loginServer(t)
	for _, c := range []struct {
		name string
		long bool
		open func(t *testing.T) remote.Remote
	}{
		{"crypt on S3", false, func(t *testing.T) remote.Remote { return encrypted(t, s3.direct(t)) }},
		{"crypt on SFTP", true, func(t *testing.T) remote.Remote { return encrypted(t, sftp.direct(t)) }},
		{"union of S3 and SFTP", true, func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "rand"}, s3.direct(t), sftp.direct(t))
		}},
		{"union of S3 and S3", true, func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "all"}, s3.direct(t), s3.direct(t))
		}},
		{"union of SFTP and SFTP", true, func(t *testing.T) remote.Remote {
			return united(t, union.Options{}, sftp.direct(t), sftp.direct(t))
		}},
		{"crypt on a union", true, func(t *testing.T) remote.Remote {
			return encrypted(t, united(t, union.Options{Create: "rand"}, s3.direct(t), sftp.direct(t)))
		}},
		{"encrypted names on a union", true, func(t *testing.T) remote.Remote {
			return onlyNames(t, united(t, union.Options{Create: "rand"}, s3.direct(t), sftp.direct(t)))
		}},
		{"union of crypts", true, func(t *testing.T) remote.Remote {
			return united(t, union.Options{Create: "rand"}, encrypted(t, s3.direct(t)), encrypted(t, sftp.direct(t)))
		}},
	} {
		if c.long && !allSuites() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			remotetest.Run(t, c.open)
		})
	}
}

// TestSuitesOverABadNetwork: and when the connections to those servers break.
func TestSuitesOverABadNetwork(t *testing.T) {
	t.Parallel()
	s3, sftp := bucketServer(t), loginServer(t)
	for _, c := range []struct {
		name string
		at   beneath
		long bool
		open func(t *testing.T, addr string) remote.Remote
	}{
		{"crypt on S3", s3, true, func(t *testing.T, addr string) remote.Remote { return encrypted(t, s3.fresh(t, addr)) }},
		{"crypt on SFTP", sftp, true, func(t *testing.T, addr string) remote.Remote { return encrypted(t, sftp.fresh(t, addr)) }},
		{"union of S3", s3, false, func(t *testing.T, addr string) remote.Remote {
			return united(t, union.Options{Create: "rand"}, s3.fresh(t, addr), s3.fresh(t, addr))
		}},
		{"union of SFTP", sftp, true, func(t *testing.T, addr string) remote.Remote {
			return united(t, union.Options{Create: "ff"}, sftp.fresh(t, addr), sftp.fresh(t, addr))
		}},
	} {
		if c.long && !allSuites() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			n := remotetest.Network{
				Target: c.at.addr, Open: c.open,
				Again: func(r remote.Remote) remote.Remote { return retry.New(r, retry.Options{}) },
			}
			remotetest.RunNetwork(t, n)
			remotetest.RunCommitted(t, n)
		})
	}
}
