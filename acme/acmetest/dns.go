package acmetest

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// A DNS answers for every name: its address is this machine, domains of two labels
// are zones, and TXT and CNAME records are those that were set. It takes updates (RFC 2136) that
// are signed by Key.
type DNS struct {
	Addr string // by UDP and TCP

	mu      sync.Mutex
	texts   map[string][]string // guarded by mu: by name, lower case, with its dot
	aliases map[string]string   // guarded by mu
	updates int                 // guarded by mu
}

// Key is what signs updates, in the form of nsupdate.
const Key = "hmac-sha256:ferry-key:c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBmZXJyeSE="

const (
	keyName   = "ferry-key."
	keySecret = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBmZXJyeSE="
)

// NewDNS starts one that runs until the test ends.
func NewDNS(t testing.TB) *DNS {
	t.Helper()
	d := &DNS{texts: map[string][]string{}, aliases: map[string]string{}}
	var (
		packets net.PacketConn
		stream  net.Listener
		err     error
	)
	for range 20 { // the port may be free for one of the two only
		if packets, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if stream, err = net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			break
		}
		packets.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	d.Addr = packets.LocalAddr().String()
	var running sync.WaitGroup
	t.Cleanup(running.Wait) // after both are shut down
	for _, s := range []*dns.Server{{PacketConn: packets}, {Listener: stream}} {
		started := make(chan struct{})
		s.Handler = d
		s.TsigSecret = map[string]string{keyName: keySecret}
		s.MsgAcceptFunc = func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept } // updates, too
		s.NotifyStartedFunc = func() { close(started) }
		running.Go(func() { _ = s.ActivateAndServe() })
		<-started
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return d
}

// SetText adds a TXT record.
func (d *DNS) SetText(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = key(name)
	d.texts[name] = append(d.texts[name], value)
}

// RemoveText removes one, or all of a name if value is empty.
func (d *DNS) RemoveText(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = key(name)
	d.texts[name] = slices.DeleteFunc(d.texts[name], func(v string) bool { return value == "" || v == value })
}

// Texts are the TXT records of a name.
func (d *DNS) Texts(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.texts[key(name)])
}

// SetAlias makes name a CNAME of target.
func (d *DNS) SetAlias(name, target string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.aliases[key(name)] = dns.Fqdn(target)
}

// Updates is how many it has made.
func (d *DNS) Updates() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.updates
}

func key(name string) string { return strings.ToLower(dns.Fqdn(name)) }

// ServeDNS implements dns.Handler.
func (d *DNS) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	answer := new(dns.Msg).SetReply(r)
	answer.Authoritative = true
	if r.Opcode == dns.OpcodeUpdate {
		d.update(w, r, answer)
	} else {
		d.answer(answer, r.Question[0])
	}
	_ = w.WriteMsg(answer) // who asks waits in vain
}

func (d *DNS) answer(m *dns.Msg, q dns.Question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := key(q.Name)
	head := func(name string, kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: 1}
	}
	if target, is := d.aliases[name]; is && q.Qtype != dns.TypeSOA {
		m.Answer = append(m.Answer, &dns.CNAME{Hdr: head(q.Name, dns.TypeCNAME), Target: target})
		name = key(target)
	}
	switch q.Qtype {
	case dns.TypeA:
		m.Answer = append(m.Answer, &dns.A{Hdr: head(name, dns.TypeA), A: net.IPv4(127, 0, 0, 1)})
	case dns.TypeTXT:
		for _, value := range d.texts[name] {
			m.Answer = append(m.Answer, &dns.TXT{Hdr: head(name, dns.TypeTXT), Txt: []string{value}})
		}
	case dns.TypeSOA:
		if dns.CountLabel(name) == 2 {
			m.Answer = append(m.Answer, &dns.SOA{Hdr: head(name, dns.TypeSOA), Ns: "ns." + name, Mbox: "root." + name, Serial: 1, Refresh: 1})
		}
	}
}

// update makes the changes of r, which has to be signed.
func (d *DNS) update(w dns.ResponseWriter, r, answer *dns.Msg) {
	signed := r.IsTsig()
	if signed == nil || w.TsigStatus() != nil {
		answer.Rcode = dns.RcodeNotAuth
		return
	}
	answer.SetTsig(signed.Hdr.Name, signed.Algorithm, signed.Fudge, int64(signed.TimeSigned))
	if dns.CountLabel(r.Question[0].Name) != 2 {
		answer.Rcode = dns.RcodeNotZone
		return
	}
	d.mu.Lock()
	d.updates++
	d.mu.Unlock()
	for _, rr := range r.Ns {
		txt, is := rr.(*dns.TXT)
		switch {
		case !is:
			answer.Rcode = dns.RcodeRefused
		case txt.Hdr.Class == dns.ClassNONE:
			d.RemoveText(txt.Hdr.Name, strings.Join(txt.Txt, ""))
		default:
			d.SetText(txt.Hdr.Name, strings.Join(txt.Txt, ""))
		}
	}
}
