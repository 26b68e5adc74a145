package acme_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/libdns/libdns"

	"ferry/acme"
	"ferry/acme/acmetest"
	"ferry/events"
	"ferry/remote/remotetest/servers"
)

// key is what the DNS of tests takes.
func key(t *testing.T) acme.TSIG {
	t.Helper()
	k, err := acme.ParseTSIG(acmetest.Key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// byDNS has a Manager use p for one name that no other test has: zones are remembered.
func byDNS(p acme.Provider, name string) func(*acme.Options) {
	return func(o *acme.Options) { o.DNS, o.Names = p, []string{name} }
}

// TestProgramItself is the program of the test below: behind its arguments there are the address of
// a DNS, a verb, a name and a value.
func TestProgramItself(t *testing.T) {
	args := flag.Args()
	if len(args) != 4 {
		return // it is not that program now
	}
	zone := strings.Join(strings.Split(args[2], ".")[2:], ".")
	record := []libdns.Record{libdns.TXT{Name: libdns.RelativeName(args[2], zone), Text: args[3]}}
	u := acme.NewUpdater(args[0], key(t))
	change := u.AppendRecords
	if args[1] == "cleanup" {
		change = u.DeleteRecords
	} else if args[1] != "present" {
		t.Fatalf("called with %q", args)
	}
	if _, err := change(t.Context(), zone, record); err != nil {
		t.Fatal(err)
	}
}

// A program is called with verb, name and value, and takes the record away again.
func TestProgram(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := acme.NewProgram([]string{self, "-test.run=^TestProgramItself$", "--", a.DNS.Addr})
	start(t, a, t.TempDir(), byDNS(p, "program.example.org")).certificate(a, "program.example.org")
	if left := a.DNS.Texts("_acme-challenge.program.example.org"); len(left) > 0 || a.DNS.Updates() != 2 {
		t.Errorf("%q are left after %d updates", left, a.DNS.Updates())
	}
}

// What a program that fails has written is in the error.
func TestProgramFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho no such zone: $2 >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := acme.NewProgram([]string{file}).AppendRecords(t.Context(), "example.org.", []libdns.Record{libdns.TXT{Name: "_acme-challenge.a", Text: "v"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no such zone: _acme-challenge.a.example.org") {
		t.Errorf("%v", err)
	}
}

// RFC 2136: a signed update makes the record, also for all names of a domain, and another one
// removes it.
func TestRFC2136(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"update.example.org", "*.wild.example.org"} {
		a := acmetest.New(t, acmetest.Options{})
		start(t, a, t.TempDir(), byDNS(acme.NewUpdater(a.DNS.Addr, key(t)), name)).certificate(a, strings.Replace(name, "*", "any", 1))
		if left := a.DNS.Texts("_acme-challenge." + strings.TrimPrefix(name, "*.")); len(left) > 0 || a.DNS.Updates() != 2 {
			t.Errorf("%s: %q are left after %d updates", name, left, a.DNS.Updates())
		}
	}
}

// A server that does not know the key refuses, and the error says what to see to, without the
// secret.
func TestRFC2136WithAnotherKey(t *testing.T) {
	t.Parallel()
	d := acmetest.NewDNS(t)
	const secret = "YW5vdGhlciBzZWNyZXQ="
	for name, want := range map[string]string{"hmac-sha256:ferry-key:" + secret: "NOTAUTH", "hmac-sha256:other:" + secret: "NOTAUTH"} {
		k, err := acme.ParseTSIG(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = acme.NewUpdater(d.Addr, k).AppendRecords(t.Context(), "example.org.", []libdns.Record{libdns.TXT{Name: "a", Text: "v"}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+fmt.Sprintf("%v %+v %#v", k, k, k), secret) {
			t.Errorf("%v, %v", k, err)
		}
	}
	_, err := acme.NewUpdater(d.Addr, acme.TSIG{}).AppendRecords(t.Context(), "example.org.", []libdns.Record{libdns.TXT{Name: "a", Text: "v"}})
	if err == nil || len(d.Texts("a.example.org")) > 0 {
		t.Errorf("without a key: %v", err)
	}
}

// Keys are read in both forms, and what is wrong with one is told without it.
func TestParseTSIG(t *testing.T) {
	for _, text := range []string{
		"hmac-sha256:k.example:c2VjcmV0", "key \"k.example\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n",
		"# made by tsig-keygen\nkey k.example { secret \"c2VjcmV0\"; algorithm HMAC-SHA256.; };",
	} {
		if k, err := acme.ParseTSIG(text); err != nil || k.String() != "hmac-sha256:k.example:***" {
			t.Errorf("%q: %v, %v", text, k, err)
		}
	}
	for _, text := range []string{"", "c2VjcmV0", "a:c2VjcmV0", "hmac-md5:k:c2VjcmV0", "hmac-sha256:k:c2VjcmV0!", "key k { algorithm hmac-sha256; }"} {
		if k, err := acme.ParseTSIG(text); err == nil || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%q: %v, %v", text, k, err)
		}
	}
}

// acme-dns: the record is a CNAME of one at that server.
func TestACMEDNS(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	a.DNS.SetAlias("_acme-challenge.api.example.org", "0c1.auth.example.net")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Subdomain, TXT string }
		if r.Method != http.MethodPost || r.URL.Path != "/update" || r.Header.Get("X-Api-User") != "u-1" || r.Header.Get("X-Api-Key") != "s3cret" {
			http.Error(w, `{"error":"forbidden"}`, http.StatusUnauthorized)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.TXT) != 43 {
			http.Error(w, `{"error":"bad_txt"}`, http.StatusBadRequest)
			return
		}
		a.DNS.SetText(body.Subdomain+".auth.example.net", body.TXT)
	}))
	t.Cleanup(server.Close)
	account := func(password string) acme.Accounts {
		all, err := acme.ParseAccounts(fmt.Appendf(nil, `{"username":"u-1","password":%q,"fulldomain":"0c1.auth.example.net","subdomain":"0c1","allowfrom":[]}`, password))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	r := start(t, a, t.TempDir(), byDNS(acme.NewACMEDNS(server.URL+"/", account("s3cret")), "api.example.org"))
	r.certificate(a, "api.example.org")
	r.stop()
	r = start(t, a, t.TempDir(), byDNS(acme.NewACMEDNS(server.URL, account("wrong-s3cret")), "api.example.org"))
	if e := r.event(); !strings.Contains(e.Cause, "401 Unauthorized: {\"error\":\"forbidden\"}") || strings.Contains(e.Cause, "s3cret") {
		t.Errorf("with another password: %+v", e)
	}
}

// Accounts are read alone and by name, and shown without their passwords.
func TestParseAccounts(t *testing.T) {
	const one = `{"username":"u","password":"s3cret","fulldomain":"x.auth.example","subdomain":"x"}`
	for _, text := range []string{one, `{"a.example.org":` + one + `,"b.example.org":` + one + `}`} {
		all, err := acme.ParseAccounts([]byte(text))
		if err != nil || len(all) == 0 || strings.Contains(fmt.Sprintf("%v %+v %#v", all, all, all), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "{}", "[]", `{"username":"u"}`, `{"a.example.org":{"password":"s3cret"}}`} {
		if _, err := acme.ParseAccounts([]byte(text)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// DNS-PERSIST-01: the error and Records say which record is missing; when it is there, certificates
// come for as long as it stays.
func TestPersist(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	const name = "persist.example.org"
	dir := t.TempDir()
	persist := func(o *acme.Options) { o.Persist, o.Names = true, []string{name} }
	r := start(t, a, dir, persist)
	e := r.event()
	records, err := r.Records(t.Context())
	if err != nil || len(records) != 1 || records[0].Found || records[0].Name != "_validation-persist."+name {
		t.Fatal(records, err)
	}
	if e.Result != events.Failed || !strings.Contains(e.Cause, "create "+records[0].String()) || !strings.Contains(records[0].Value, "ca.example; accounturi=https://") {
		t.Errorf("the event is %+v", e)
	}
	later := fmt.Sprintf("%s; persistUntil=%d", records[0].Value, time.Now().Add(time.Hour).Unix())
	a.DNS.SetText(records[0].Name, "other.example; accounturi=https://other.example/1")
	a.DNS.SetText(records[0].Name, later)
	r.Retry()
	c := r.certificate(a, name)
	if records, err := r.Records(t.Context()); err != nil || !records[0].Found {
		t.Errorf("%+v, %v", records, err)
	}
	if err := r.Renew(t.Context(), name); err != nil {
		t.Error(err)
	}
	if got := r.Certificate(name); got.Leaf.Equal(c.Leaf) {
		t.Error("it is not renewed")
	}
	a.DNS.RemoveText(records[0].Name, later)
	// Pebble takes an earlier proof once in a hundred times, even where it is told never to.
	for range 5 {
		if err = r.Renew(t.Context(), name); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "the record is not there yet") {
		t.Errorf("without the record: %v", err)
	}
}

// Check tells what is missing, asks for nothing and leaves nothing.
func TestCheck(t *testing.T) {
	t.Parallel()
	a := acmetest.New(t, acmetest.Options{})
	find := func(change func(*acme.Options)) (texts string, err error) {
		o := acme.Options{
			Names: []string{"check.example.org"}, CA: a.Directory, Roots: a.Roots, Dir: t.TempDir(), Listen: acmetest.Listen,
			HTTPAddr: a.HTTPAddr, Resolvers: []string{a.DNS.Addr},
		}
		change(&o)
		m, newErr := acme.New(o)
		if newErr != nil {
			t.Fatal(newErr)
		}
		for _, f := range m.Check(t.Context()) {
			texts += f.Name + " " + f.What + " " + f.Note + "\n"
			err = errors.Join(err, f.Err)
		}
		return texts, err
	}
	texts, err := find(func(o *acme.Options) { o.DNS = acme.NewUpdater(a.DNS.Addr, key(t)) })
	if err != nil || !strings.Contains(texts, "change of the DNS zone example.org") || !strings.Contains(texts, "its terms: ") || a.DNS.Updates() != 2 {
		t.Errorf("%s%v, %d updates", texts, err, a.DNS.Updates())
	}
	_, err = find(func(o *acme.Options) { o.Persist = true })
	if err == nil || !strings.Contains(err.Error(), "create _validation-persist.check.example.org. 300 IN TXT") {
		t.Errorf("%v", err)
	}
	texts, err = find(func(*acme.Options) {})
	if err != nil || !strings.Contains(texts, "check.example.org address 127.0.0.1") {
		t.Errorf("%s%v", texts, err)
	}
	taken, err := net.Listen("tcp", a.HTTPAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = find(func(o *acme.Options) { o.Resolvers = []string{fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t))} })
	if err == nil || !strings.Contains(err.Error(), "listening on "+a.HTTPAddr) || !strings.Contains(err.Error(), "create an A or AAAA record") {
		t.Errorf("%v", err)
	}
	other := acmetest.New(t, acmetest.Options{}) // what it says of itself is not remembered yet
	_, err = find(func(o *acme.Options) { o.CA, o.Roots = other.Directory, nil })
	if err == nil || !strings.Contains(err.Error(), "--acme-ca-root") {
		t.Errorf("%v", err)
	}
	if a.Orders() > 0 || len(a.DNS.Texts("_acme-challenge.check.example.org")) > 0 {
		t.Errorf("%d orders", a.Orders())
	}
}
