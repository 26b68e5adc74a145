package test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"ferry/remote/remotetest/servers/natsserver"
)

// An otherProgram is another one than ferry that changes the bucket.
type otherProgram struct {
	t      *testing.T
	client *minio.Client
}

func newOtherProgram(t *testing.T, s *site) *otherProgram {
	t.Helper()
	client, err := minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4("key", "s3cret", "")})
	if err != nil {
		t.Fatal(err)
	}
	return &otherProgram{t, client}
}

func (p *otherProgram) put(key string) {
	p.t.Helper()
	if _, err := p.client.PutObject(p.t.Context(), "bucket", key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *otherProgram) remove(key string) {
	p.t.Helper()
	if err := p.client.RemoveObject(p.t.Context(), "bucket", key, minio.RemoveObjectOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// listed returns the names in a directory as NLST shows them.
func (c *ftpClient) listed(dir string) []string {
	c.t.Helper()
	data := c.data()
	c.do("NLST "+dir, 150)
	text, err := io.ReadAll(data)
	if err != nil {
		c.t.Fatal(err)
	}
	data.Close()
	c.expect(226)
	var names []string
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\r\n") {
		names = append(names, path.Base(line))
	}
	return names
}

// soon waits until a directory shows a name, or does not any more, and returns how long that took.
func (c *ftpClient) soon(dir, name string, shown bool) time.Duration {
	c.t.Helper()
	began := time.Now()
	for {
		if slices.Contains(c.listed(dir), name) == shown {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			c.t.Fatalf("%s/%s: shown is not %v within %v", dir, name, shown, patience)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// changesShow changes a bucket past ferry, and looks at the listings.
func changesShow(t *testing.T, c *ftpClient, other *otherProgram) {
	t.Helper()
	other.put("first")
	c.soon("/", "first", true)
	var took []time.Duration
	for _, name := range []string{"plain", "with blank", "1+1=2", "100%", "100%41", "Grüße ☺", "a&b;c=d?#e"} {
		c.listed("/") // so that it is remembered
		other.put(name)
		took = append(took, c.soon("/", name, true))
		c.do("SIZE "+name, 213)
		other.remove(name)
		took = append(took, c.soon("/", name, false))
		c.do("SIZE "+name, 550)
	}
	slices.Sort(took)
	t.Logf("a change shows within %v, the slowest of %d within %v", took[len(took)/2], len(took), took[len(took)-1])
	// A directory appears with its first file, and goes with its last.
	other.put("d/e +/only")
	c.soon("/", "d", true)
	c.soon("/d/e +", "only", true)
	other.remove("d/e +/only")
	c.soon("/", "d", false)
}

func feedArgs(s *site, more ...string) []string {
	args := []string{"--dir-cache-time", "24h", "-v"}
	for name, value := range s.options(s.addr) {
		if name != "type" {
			args = append(args, "--s3-"+strings.ReplaceAll(name, "_", "-"), value)
		}
	}
	return append(args, more...)
}

// A second program stores and removes objects in a bucket whose store tells NATS of that. Listings
// through ferry show it although they are remembered for a day, by --poll-interval 0 too.
func TestAChangeFeedByNATS(t *testing.T) {
	t.Parallel()
	server := natsserver.Start(t)
	gateway := startTellingGateway(t, "--event-nats-url", server.URL(), "--event-nats-topic", "s3.events")
	ferry, addr := serve(t, ":s3:bucket", feedArgs(gateway, "--change-feed", server.URL()+"/s3.events", "--poll-interval", "0",
		"--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth")...)
	if _, err := ferry.log.waitFor(func(s string) bool { return strings.Contains(s, "the change feed is listened to") }); err != nil {
		t.Fatal(err)
	}
	c, other := login(t, "", addr), newOtherProgram(t, gateway)
	changesShow(t, c, other)
	// What happens while NATS is away may be told to nobody: it shows when NATS is back.
	server.Stop()
	if _, err := ferry.log.waitFor(func(s string) bool { return strings.Contains(s, "the change feed is not reached") }); err != nil {
		t.Fatal(err)
	}
	page := shown{t: t, page: strings.TrimSuffix(controlAddress(t, ferry.log), "/") + "/"}
	page.until("the page says that the feed is away", func(all map[string]any) bool {
		return strings.Contains(fmt.Sprint(all["trouble"]), "s3.events is not listened to")
	})
	c.listed("/") // what was told last may have come just now, and had it forgotten
	other.put("lost")
	if slices.Contains(c.listed("/"), "lost") {
		t.Error("the listing is not remembered")
	}
	server.Restart(true)
	c.soon("/", "lost", true)
	other.remove("lost")
	c.soon("/", "lost", false)
}

// The same by JetStream, through a remote that is made of others.
func TestAChangeFeedBehindCrypt(t *testing.T) {
	t.Parallel()
	server := natsserver.Start(t)
	gateway := startTellingGateway(t, "--event-nats-url", server.URL(), "--event-nats-topic", "s3.events")
	env := []string{"RCLONE_CONFIG_C_TYPE=crypt", "RCLONE_CONFIG_C_REMOTE=:s3:bucket/secret", "RCLONE_CONFIG_C_PASSWORD=" + obscured(t, "pw")}
	var addrs [2]string
	for i := range addrs {
		args := append([]string{"serve", "ftp", "c:", "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder"},
			feedArgs(gateway, "--change-feed", server.URL()+"/s3.events?bucket=bucket")...)
		p, addr := serveWith(t, env, ferryBinary, args...)
		if _, err := p.log.waitFor(func(s string) bool { return strings.Contains(s, "changes on the remote are seen from now on") }); err != nil {
			t.Fatal(err)
		}
		addrs[i] = addr
	}
	one, two := login(t, "", addrs[0]), login(t, "", addrs[1])
	if names := two.listed("/"); slices.Contains(names, "d +1") {
		t.Fatalf("%q", names)
	}
	one.store("d +1", "content")
	two.soon("/", "d +1", true)
	one.do("DELE d +1", 250)
	two.soon("/", "d +1", false)
}

// store uploads a file.
func (c *ftpClient) store(name, content string) {
	c.t.Helper()
	data := c.data()
	c.do("STOR "+name, 150)
	if _, err := io.WriteString(data, content); err != nil {
		c.t.Fatal(err)
	}
	data.Close()
	c.expect(226)
}

func TestAChangeFeedByWebhook(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	// The store wants to post something before it starts, and so before ferry does.
	var target atomic.Pointer[url.URL]
	front := httptest.NewServer(&httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", "127.0.0.1:1"
		if u := target.Load(); u != nil {
			r.Out.URL.Host, r.Out.Host = u.Host, u.Host
		}
	}})
	defer front.Close()
	gateway := startTellingGateway(t, "--event-webhook-url", front.URL+"/feed/gateway?token="+token)
	ferry, addr := serve(t, ":s3:bucket", feedArgs(gateway, "--rc", "--rc-addr", "127.0.0.1:0", "--rc-user", "u", "--rc-pass", "p", "--metrics-addr", "127.0.0.1:0",
		"--change-feed", "webhook:gateway?token="+token)...)
	at := regexp.MustCompile(`serving remote control on (http://[^/]*/)`)
	text, err := ferry.log.waitFor(at.MatchString)
	if err != nil {
		t.Fatal(err)
	}
	control, err := url.Parse(at.FindStringSubmatch(text)[1])
	if err != nil {
		t.Fatal(err)
	}
	target.Store(control)
	changesShow(t, login(t, "", addr), newOtherProgram(t, gateway))
	if strings.Contains(ferry.log.String(), token) {
		t.Error("the log shows the token")
	}
	metrics := get(t, regexp.MustCompile(`serving metrics on (\S*/metrics)`).FindStringSubmatch(ferry.log.String())[1])
	for _, want := range []string{`ferry_feed_up{source="webhook"} 1`, `ferry_feed_lag_seconds{source="webhook"}`, `ferry_feed_notifications_total{result="applied",source="webhook"}`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("there is no %s in the metrics", want)
		}
	}
	a, err := http.Post(control.String()+"feed/gateway?token=wrong", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong token is answered %d", a.StatusCode)
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	a, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
