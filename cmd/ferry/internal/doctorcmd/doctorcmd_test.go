package doctorcmd

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
)

// row returns the row about something.
func row(t *testing.T, r *Report, what string) Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.What == what {
			return row
		}
	}
	t.Fatalf("there is no row about %s: %+v", what, r.Rows)
	return Row{}
}

// is requires a state of a row, and texts of its detail or remedy. What is not well has a remedy.
func is(t *testing.T, r *Report, what string, state State, texts ...string) {
	t.Helper()
	got := row(t, r, what)
	if got.State != state || (state == Warning || state == Failed) && got.Remedy == "" {
		t.Errorf("%s: %+v, want %s", what, got, state)
	}
	for _, text := range texts {
		if !strings.Contains(got.Detail+got.Remedy, text) {
			t.Errorf("%s: %+v, want %q", what, got, text)
		}
	}
}

func TestTheTable(t *testing.T) {
	r := &Report{}
	r.OK("a", "x", "fine")
	r.Warn("a", "y", "do that", "slow\nvery\tslow")
	r.Fail("b", "z", "do this", "gone")
	r.Skip("b", "w", "none")
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "a  x  ok       fine\n   y  warning  slow; very; slow\n                 -> do that\nb  z  FAILED   gone\n                 -> do this\n   w  -        none\n"
	if b.String() != want || r.Failed() != 1 {
		t.Errorf("got\n%s%d failed", b.String(), r.Failed())
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := json.Unmarshal([]byte(b.String()), &rows); err != nil || len(rows) != 4 || rows[1] != r.Rows[1] {
		t.Errorf("%v: %s", err, b.String())
	}
	b.Reset()
	if err := (&Report{}).WriteJSON(&b); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%v: %s", err, b.String())
	}
}

// A slow remote takes its time for a Stat and a Put.
type slow struct {
	remote.Remote
	stat, put time.Duration
}

func (s slow) Stat(ctx context.Context, name string) (remote.Entry, error) {
	time.Sleep(s.stat)
	return s.Remote.Stat(ctx, name)
}

func (s slow) Put(ctx context.Context, name string, body io.Reader, opt remote.PutOptions) (remote.Entry, error) {
	time.Sleep(s.put)
	return s.Remote.Put(ctx, name, body, opt)
}

func TestLatency(t *testing.T) {
	for took, want := range map[time.Duration]State{time.Millisecond: OK, time.Second: Warning} {
		synctest.Test(t, func(t *testing.T) {
			r := &Report{}
			Latency(t.Context(), r, slow{Remote: memory.New(), stat: took})
			is(t, r, "latency", want, took.String())
		})
	}
	r := &Report{}
	f := faulty.New(memory.New())
	f.Inject(faulty.Fault{Op: faulty.Stat, Err: remote.ErrPermission, Times: -1})
	Latency(t.Context(), r, f)
	is(t, r, "latency", Failed)
}

// left returns the names in a remote.
func left(t *testing.T, s remote.Remote) []string {
	t.Helper()
	var names []string
	for e, err := range s.List(context.WithoutCancel(t.Context()), ".") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	return names
}

func TestSpeed(t *testing.T) {
	steps := []string{"upload", "download", "4 uploads", "4 downloads"}
	store := memory.New()
	r := &Report{}
	(&Speed{Remote: store, Size: 1 << 20}).Run(t.Context(), r)
	for _, step := range steps {
		is(t, r, step, OK, "MiB/s", "1M")
	}
	if names := left(t, store); len(names) > 0 || r.Failed() > 0 {
		t.Errorf("left there: %v; %+v", names, r.Rows)
	}
	synctest.Test(t, func(t *testing.T) {
		r := &Report{}
		(&Speed{Remote: slow{Remote: memory.New(), put: 10 * time.Second}, Size: 1 << 20}).Run(t.Context(), r)
		is(t, r, "upload", Warning, "0.1 MiB/s", "--vfs-cache-mode")
		is(t, r, "4 uploads", Warning)
	})
}

// What does not work is told, and whatever was written is removed.
func TestSpeedOfABrokenRemote(t *testing.T) {
	for _, tt := range []struct {
		fault faulty.Fault
		step  string
	}{
		{faulty.Fault{Op: faulty.Put, Err: remote.ErrPermission, Times: -1}, "upload"},
		{faulty.Fault{Op: faulty.Open, Err: remote.ErrPermission, Times: -1}, "download"},
		{faulty.Fault{Op: faulty.Put, Err: remote.ErrPermission, Skip: 2, Times: 1}, "4 uploads"},
		{faulty.Fault{Op: faulty.Open, Err: remote.ErrPermission, Skip: 2, Times: 1}, "4 downloads"},
		{faulty.Fault{Op: faulty.Remove, Err: remote.ErrPermission, Times: -1}, "clean up"},
	} {
		store := memory.New()
		f := faulty.New(store)
		f.Inject(tt.fault)
		r := &Report{}
		(&Speed{Remote: f, Size: 4 << 10}).Run(t.Context(), r)
		is(t, r, tt.step, Failed)
		if names := left(t, store); len(names) > 0 && tt.step != "clean up" {
			t.Errorf("%s: left there: %v", tt.step, names)
		}
	}
}

// An interruption in the middle leaves nothing, and touches nothing else.
func TestSpeedIsInterrupted(t *testing.T) {
	store := memory.New()
	if _, err := store.Put(t.Context(), "mine", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Report{Tell: func(row Row) {
		if row.What == "upload" {
			cancel()
		}
	}}
	(&Speed{Remote: store, Size: 4 << 10}).Run(ctx, r)
	if names := left(t, store); len(names) != 1 || names[0] != "mine" {
		t.Errorf("left there: %v", names)
	}
	if r.Failed() > 0 {
		t.Errorf("an interruption is a failure: %+v", r.Rows)
	}
}

func TestClock(t *testing.T) {
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	to := from.Add(10 * time.Second)
	for _, tt := range []struct {
		there time.Time
		want  State
	}{
		{from, OK}, {to.Add(time.Minute), OK}, {from.Add(-time.Minute), OK}, {from.Add(5 * time.Second), OK},
		{to.Add(2 * time.Minute), Warning}, {from.Add(-time.Hour), Warning},
	} {
		r := &Report{}
		Clock(r, tt.there, from, to, "")
		is(t, r, "clock", tt.want)
	}
}

// A dated remote tells the time with each answer, and writes files of another time.
type dated struct {
	remote.Forward
	ahead time.Duration
}

func (d dated) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if report := remote.ClockOf(ctx); report != nil {
		sent := time.Now()
		time.Sleep(time.Second)
		report(time.Now().Add(d.ahead), sent)
	}
	return d.Forward.Stat(ctx, name)
}

// What the remote says of its time counts, not the time that a file of it has.
func TestTheClockIsThatOfTheAnswers(t *testing.T) {
	for ahead, want := range map[time.Duration]State{0: OK, -time.Hour: Warning, 2 * time.Minute: Warning} {
		synctest.Test(t, func(t *testing.T) {
			r, dates := &Report{}, &Dates{}
			dates.Tell(r)
			if len(r.Rows) > 0 {
				t.Errorf("before anything was asked: %+v", r.Rows)
			}
			ctx := dates.Watch(t.Context())
			store := dated{remote.Forward{Remote: memory.New()}, ahead}
			Latency(ctx, r, store)
			(&Speed{Remote: store, Size: 4 << 10, Dates: dates}).Run(ctx, r)
			dates.Tell(r)
			is(t, r, "clock", want)
			for _, row := range r.Rows {
				if row.What == "clock" && !strings.Contains(row.Detail, "Date") {
					t.Errorf("compared %s", row.Detail)
				}
			}
		})
	}
}

// A poor remote can do little.
type poor struct{ remote.Remote }

func (poor) Info() remote.Info {
	return remote.Info{Caps: remote.Caps{ImplicitDirs: true, CaseInsensitive: true}}
}

// A fixed remote cannot be changed.
type fixed struct{ remote.Remote }

func (fixed) Info() remote.Info { return remote.Info{Caps: remote.Caps{ReadOnly: true}} }

func TestAbilities(t *testing.T) {
	all := func(r *Report) string {
		var texts []string
		for _, row := range r.Rows {
			texts = append(texts, row.Detail+" -> "+row.Remedy)
		}
		return strings.Join(texts, "\n")
	}
	r := &Report{}
	Abilities(r, memory.New(), false)
	is(t, r, "abilities", OK)
	r = &Report{}
	Abilities(r, poor{memory.New()}, false)
	for _, want := range []string{"continue an upload", "--vfs-cache-mode writes", "rename a directory", "empty directories", "modification times", "a from A", "what others change"} {
		if !strings.Contains(all(r), want) {
			t.Errorf("%q is missing:\n%s", want, all(r))
		}
	}
	r = &Report{}
	Abilities(r, poor{memory.New()}, true)
	if strings.Contains(all(r), "continue an upload") {
		t.Errorf("with a cache it can:\n%s", all(r))
	}
	r = &Report{}
	Abilities(r, fixed{memory.New()}, false)
	if got := all(r); !strings.Contains(got, "only read") || len(r.Rows) != 1 {
		t.Errorf("got %s", got)
	}
}

func TestCacheDisk(t *testing.T) {
	base := t.TempDir()
	r := &Report{}
	CacheDisk(r, filepath.Join(base, "not", "there"))
	is(t, r, "directory", OK)
	row(t, r, "sync")
	row(t, r, "O_TMPFILE")
	if files, err := os.ReadDir(base); err != nil || len(files) > 0 {
		t.Errorf("left there: %v, %v", files, err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r = &Report{}
	CacheDisk(r, filepath.Join(file, "x"))
	is(t, r, "directory", Failed, "--cache-dir")
	r = &Report{}
	Free(r, 10<<30)
	SyncRate(r, 500)
	is(t, r, "free", OK, "10 GiB")
	is(t, r, "sync", OK, "500")
	r = &Report{}
	Free(r, 10<<20)
	SyncRate(r, 3)
	is(t, r, "free", Warning, "10M")
	is(t, r, "sync", Warning, "spooled")
}

func TestDescriptors(t *testing.T) {
	for _, tt := range []struct {
		limit            uint64
		sessions, wanted uint32
		want             State
	}{{0, 0, 0, OK}, {20000, 4928, 0, OK}, {20000, 4928, 4000, OK}, {1024, 200, 500, Warning}, {128, 20, 0, Warning}} {
		r := &Report{}
		Descriptors(r, tt.limit, tt.sessions, tt.wanted)
		is(t, r, "descriptors", tt.want)
	}
}

func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	r := &Report{}
	Listen(t.Context(), r, "--addr", "127.0.0.1:0")
	is(t, r, "--addr 127.0.0.1:0", OK)
	Listen(t.Context(), r, "--addr", addr)
	is(t, r, "--addr "+addr, Warning, "in use")
	Listen(t.Context(), r, "--addr", "192.0.2.1:2121")
	is(t, r, "--addr 192.0.2.1:2121", Failed, "does not have that address")
	every, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer every.Close()
	port := netip.MustParseAddrPort(every.Addr().String()).Port()
	r = &Report{}
	Passive(t.Context(), r, config.Ports{First: port, Last: port})
	is(t, r, "--passive-port", Failed, "0 of 1")
	r = &Report{}
	Passive(t.Context(), r, config.Ports{})
	is(t, r, "--passive-port", Warning, "30000-32000")
	r = &Report{}
	Passive(t.Context(), r, config.Ports{First: 41000, Last: 41200})
	is(t, r, "--passive-port", OK, "of 201")
	r = &Report{}
	Passive(t.Context(), r, config.Ports{First: 41000, Last: 41002})
	is(t, r, "--passive-port", Warning, "more ports")
}

// What helps with a port that needs a privilege is said where that is so.
func TestPrivilegedPorts(t *testing.T) {
	err := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	if got := remedyOf(err); !strings.Contains(got, "setcap") {
		t.Errorf("got %q", got)
	}
}

func TestPublicAddress(t *testing.T) {
	find := Finder{
		Lookup: func(_ context.Context, _, host string) ([]netip.Addr, error) {
			switch host {
			case "here.example":
				return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
			case "router.example":
				return []netip.Addr{netip.MustParseAddr("198.51.100.1")}, nil
			case "empty.example":
				return nil, nil
			}
			return nil, errors.New("no such host")
		},
		Own: func() ([]net.Addr, error) {
			return []net.Addr{&net.IPNet{IP: net.ParseIP("203.0.113.7"), Mask: net.CIDRMask(24, 32)}}, nil
		},
	}
	for host, want := range map[string]struct {
		state State
		text  string
	}{
		"here.example": {OK, "an address of this machine"}, "203.0.113.7": {OK, "an address of this machine"},
		"router.example": {OK, "NAT"}, "198.51.100.1": {OK, "--passive-port"},
		"10.1.2.3": {Warning, "private"}, "wrong.example": {Failed, "no such host"}, "empty.example": {Failed, "no IPv4 address"},
	} {
		r := &Report{}
		find.PublicAddress(t.Context(), r, host)
		is(t, r, "--public-ip", want.state, want.text)
	}
	r := &Report{}
	find.NoPublicAddress(r)
	is(t, r, "--public-ip", OK, "203.0.113.7")
	find.Own = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("192.168.1.7"), Mask: net.CIDRMask(24, 32)}}, nil
	}
	r = &Report{}
	find.NoPublicAddress(r)
	is(t, r, "--public-ip", Skipped, "router")
}

// An authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; a nil authority signs none but its own.
func (a *authority) issue(t *testing.T, template x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := &template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestCertificate(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	from, to := now.AddDate(0, -1, 0), now.AddDate(0, 2, 0)
	ca := func(parent *authority, name string) *authority {
		c, k := parent.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
		return &authority{c, k}
	}
	root := ca(nil, "root")
	middle := ca(root, "middle")
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	leaf := func(a *authority, from, to time.Time, names ...string) []byte {
		c, _ := a.issue(t, x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, NotBefore: from, NotAfter: to, DNSNames: names})
		return c.Raw
	}
	for name, tt := range map[string]struct {
		chain               [][]byte
		dates, names, trust State
	}{
		"good":       {[][]byte{leaf(middle, from, to, "ftp.example.org"), middle.cert.Raw}, OK, OK, OK},
		"soon over":  {[][]byte{leaf(root, from, now.AddDate(0, 0, 5), "ftp.example.org")}, Warning, OK, OK},
		"expired":    {[][]byte{leaf(root, from, now.AddDate(0, 0, -1), "ftp.example.org")}, Failed, OK, Skipped},
		"too early":  {[][]byte{leaf(root, now.AddDate(0, 0, 1), to, "ftp.example.org")}, Failed, OK, Skipped},
		"other name": {[][]byte{leaf(root, from, to, "www.example.org")}, OK, Warning, OK},
		"no name":    {[][]byte{leaf(root, from, to)}, OK, Failed, OK},
		"no chain":   {[][]byte{leaf(middle, from, to, "ftp.example.org")}, OK, OK, Warning},
		"self":       {[][]byte{leaf(nil, from, to, "ftp.example.org")}, OK, OK, Warning},
		"unknown":    {[][]byte{leaf(ca(nil, "else"), from, to, "ftp.example.org"), root.cert.Raw}, OK, OK, Warning},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{}
			Certificate(r, "cert.pem", &tls.Certificate{Certificate: tt.chain}, []string{"ftp.example.org"}, roots, now)
			is(t, r, "dates", tt.dates, "cert.pem")
			is(t, r, "names", tt.names)
			is(t, r, "chain", tt.trust)
		})
	}
	r := &Report{}
	Certificate(r, "cert.pem", &tls.Certificate{}, nil, roots, now)
	is(t, r, "cert.pem", Failed)
	r = &Report{}
	Certificate(r, "cert.pem", &tls.Certificate{Certificate: [][]byte{{1}}}, nil, roots, now)
	is(t, r, "cert.pem", Failed)
}
