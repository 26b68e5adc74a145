package rc

import (
	"errors"
	"os"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestCore(t *testing.T) {
	var status []int
	s := newServer(t, Options{NoAuth: true, Calls: CoreCalls(Core{
		Version: "v1.2.3-4-gabc",
		Obscure: func(clear string) string { return "<" + clear + ">" },
		Quit:    func(n int) { status = append(status, n) },
	})})
	v := object(t, request{target: "/core/version"}.do(s).Body.String())
	want := map[string]any{
		"version": "v1.2.3-4-gabc", "decomposed": []any{1.0, 2.0, 3.0}, "isGit": true, "isBeta": true,
		"os": runtime.GOOS, "arch": runtime.GOARCH, "osArch": runtime.GOARCH, "goVersion": runtime.Version(),
	}
	for key, value := range want {
		if !reflect.DeepEqual(v[key], value) {
			t.Errorf("version: %s is %v, want %v", key, v[key], value)
		}
	}
	for _, key := range []string{"osVersion", "osKernel", "linking", "goTags"} {
		if _, ok := v[key].(string); !ok {
			t.Errorf("version: %s is %v", key, v[key])
		}
	}
	if out := object(t, request{target: "/core/pid"}.do(s).Body.String()); out["pid"] != float64(os.Getpid()) {
		t.Errorf("pid: %v", out)
	}
	if out := object(t, request{target: "/core/memstats"}.do(s).Body.String()); len(out) != 20 || out["HeapAlloc"].(float64) <= 0 {
		t.Errorf("memstats: %v", out)
	}
	wantJSON(t, request{target: "/core/gc"}.do(s), 200, `{}`)
	wantJSON(t, request{target: "/core/obscure?clear=secret"}.do(s), 200, `{"obscured":"<secret>"}`)
	wantJSON(t, request{target: "/core/obscure"}.do(s), 400, `{"error":"Didn't find key \"clear\" in input","input":{},"path":"core/obscure","status":400}`)
	wantJSON(t, request{target: "/core/quit"}.do(s), 200, `{}`)
	wantJSON(t, request{target: "/core/quit?exitCode=3"}.do(s), 200, `{}`)
	for _, bad := range []string{"x", "-1", "256"} {
		if w := (request{target: "/core/quit?exitCode=" + bad}).do(s); w.Code != 400 {
			t.Errorf("exitCode %s: %d", bad, w.Code)
		}
	}
	if !reflect.DeepEqual(status, []int{0, 3}) {
		t.Errorf("quit with %v", status)
	}
}

func TestSplitVersion(t *testing.T) {
	tests := map[string]struct {
		numbers [3]int64
		more    bool
	}{
		"v1.76.0": {[3]int64{1, 76, 0}, false}, "v1.76.0-DEV": {[3]int64{1, 76, 0}, true}, "v0.0.0-20261122-abc+dirty": {[3]int64{}, true},
		"1.2.3+dirty": {[3]int64{1, 2, 3}, true}, "(devel)": {[3]int64{}, true}, "v2": {[3]int64{2, 0, 0}, true}, "": {[3]int64{}, true},
	}
	for version, want := range tests {
		if numbers, more := splitVersion(version); numbers != want.numbers || more != want.more {
			t.Errorf("%q: %v, %v", version, numbers, more)
		}
	}
}

type fakeCounters struct {
	stats Stats
	ended []Transfer
}

func (f fakeCounters) Stats() Stats            { return f.stats }
func (f fakeCounters) Transferred() []Transfer { return f.ended }

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := fakeCounters{
			stats: Stats{Since: start, Bytes: 1000, Transfers: 2, Errors: 1, TransferTime: 3 * time.Second, LastError: "cut", Running: []Transfer{
				{Name: "a", Size: 1000, Bytes: 500, Began: start.Add(5 * time.Second)}, {Name: "b", Size: -1, Bytes: 0, Began: start.Add(10 * time.Second)},
			}},
			ended: []Transfer{
				{Name: "x", Size: 700, Bytes: 700, What: "downloading", Began: start, Ended: start.Add(time.Second)},
				{Name: "y", Size: -1, Bytes: 300, What: "uploading", Began: start, Ended: start.Add(2 * time.Second), Err: errors.New("cut")},
			},
		}
		s, err := New(Options{Calls: StatsCalls(c)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		time.Sleep(10 * time.Second)
		out := object(t, request{target: "/core/stats"}.do(s).Body.String())
		for key, want := range map[string]any{
			"bytes": 1500.0, "totalBytes": 1500.0, "transfers": 2.0, "totalTransfers": 4.0, "errors": 1.0, "lastError": "cut", "elapsedTime": 10.0,
			"transferTime": 8.0, "speed": 100.0, "eta": nil, "fatalError": false, "checks": 0.0, "renames": 0.0, "deletes": 0.0,
		} {
			if !reflect.DeepEqual(out[key], want) {
				t.Errorf("%s is %v, want %v", key, out[key], want)
			}
		}
		want := []any{
			map[string]any{"name": "a", "size": 1000.0, "bytes": 500.0, "percentage": 50.0, "speed": 100.0, "speedAvg": 100.0, "eta": 5.0, "group": ""},
			map[string]any{"name": "b", "size": -1.0, "bytes": 0.0, "percentage": 0.0, "speed": 0.0, "speedAvg": 0.0, "eta": nil, "group": ""},
		}
		if !reflect.DeepEqual(out["transferring"], want) {
			t.Errorf("transferring: %v", out["transferring"])
		}
		if out := object(t, request{target: "/core/stats?short=true"}.do(s).Body.String()); out["transferring"] != nil || out["bytes"] != 1500.0 {
			t.Errorf("short: %v", out)
		}
		if out := object(t, request{target: "/core/stats?group=job/1"}.do(s).Body.String()); out["bytes"] != 0.0 {
			t.Errorf("another group: %v", out)
		}
		wantJSON(t, request{target: "/core/transferred?group=job/1"}.do(s), 200, `{"transferred":[]}`)
		at := func(d time.Duration) string { return start.Add(d).Format(time.RFC3339Nano) }
		wantJSON(t, request{target: "/core/transferred"}.do(s), 200, `{"transferred":[
			{"name":"x","size":700,"bytes":700,"checked":false,"what":"downloading","started_at":"`+at(0)+`","completed_at":"`+at(time.Second)+`","error":"","group":""},
			{"name":"y","size":-1,"bytes":300,"checked":false,"what":"uploading","started_at":"`+at(0)+`","completed_at":"`+at(2*time.Second)+`","error":"cut","group":""}]}`)
		for _, target := range []string{"/core/stats?short=x", "/core/stats", "/core/transferred"} {
			w := request{target: target, contentType: jsonType, body: `{"group":1}`}.do(s)
			if w.Code != 400 {
				t.Errorf("%s: %d", target, w.Code)
			}
		}
	})
}

type fakeBandwidth struct{ rate string }

func (f *fakeBandwidth) Limits() (up, down int64, rate string) {
	if f.rate == "off" {
		return -1, -1, f.rate
	}
	return 1 << 20, 100 << 10, f.rate
}

func (f *fakeBandwidth) SetRate(rate string) error {
	if rate == "bogus" {
		return errors.New("bad bwlimit")
	}
	f.rate = rate
	return nil
}

func TestBandwidth(t *testing.T) {
	b := &fakeBandwidth{"off"}
	s := newServer(t, Options{NoAuth: true, Calls: BandwidthCalls(b)})
	wantJSON(t, request{target: "/core/bwlimit"}.do(s), 200, `{"bytesPerSecond":-1,"bytesPerSecondTx":-1,"bytesPerSecondRx":-1,"rate":"off"}`)
	limited := `{"bytesPerSecond":1048576,"bytesPerSecondTx":1048576,"bytesPerSecondRx":102400,"rate":"1M:100k"}`
	wantJSON(t, request{target: "/core/bwlimit?rate=1M:100k"}.do(s), 200, limited)
	wantJSON(t, request{target: "/core/bwlimit"}.do(s), 200, limited)
	if w := (request{target: "/core/bwlimit?rate=bogus"}).do(s); w.Code != 500 || b.rate != "1M:100k" {
		t.Errorf("%d, %s", w.Code, b.rate)
	}
	if w := (request{target: "/core/bwlimit", contentType: jsonType, body: `{"rate":5}`}).do(s); w.Code != 400 {
		t.Errorf("a number: %d", w.Code)
	}
}

func TestOptions(t *testing.T) {
	s := newServer(t, Options{NoAuth: true, Calls: OptionsCalls(func() map[string]map[string]any {
		return map[string]map[string]any{"vfs": {"read-only": true}, "server": {"pass": "***"}, "rc": {}}
	})})
	wantJSON(t, request{target: "/options/get"}.do(s), 200, `{"vfs":{"read-only":true},"server":{"pass":"***"},"rc":{}}`)
	wantJSON(t, request{target: "/options/get?blocks=vfs,%20rc,nope"}.do(s), 200, `{"vfs":{"read-only":true},"rc":{}}`)
	if w := (request{target: "/options/get", contentType: jsonType, body: `{"blocks":[]}`}).do(s); w.Code != 400 {
		t.Errorf("%d", w.Code)
	}
}

type fakeSessions struct {
	all    []Session
	kicked []uint64
}

func (f *fakeSessions) Sessions() []Session { return f.all }

func (f *fakeSessions) Kick(id uint64) bool {
	f.kicked = append(f.kicked, id)
	return id == 2
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := &fakeSessions{}
		s, err := New(Options{NoAuth: true, Calls: FTPCalls(f)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantJSON(t, request{target: "/ftp/sessions"}.do(s), 200, `{"sessions":[]}`)
		f.all = []Session{
			{ID: 1, Remote: "192.0.2.1:1024", Since: start},
			{ID: 2, Remote: "192.0.2.2:1024", TLS: true, User: "bob", Client: "lftp", Since: start, Command: "RETR", Path: "/a", Began: start, Bytes: 500},
		}
		time.Sleep(5 * time.Second)
		at := start.Format(time.RFC3339Nano)
		wantJSON(t, request{target: "/ftp/sessions"}.do(s), 200, `{"sessions":[
			{"id":1,"remote":"192.0.2.1:1024","tls":false,"user":"","client":"","since":"`+at+`","command":"","path":"","bytes":0,"rate":0},
			{"id":2,"remote":"192.0.2.2:1024","tls":true,"user":"bob","client":"lftp","since":"`+at+`","command":"RETR","path":"/a","began":"`+at+`","bytes":500,"rate":100}]}`)
		wantJSON(t, request{target: "/ftp/kick?id=2"}.do(s), 200, `{}`)
		wantJSON(t, request{target: "/ftp/kick?id=3"}.do(s), 404,
			`{"error":"session 3 not found","input":{"id":"3"},"path":"ftp/kick","status":404}`)
		for target, status := range map[string]int{"/ftp/kick?id=-1": 404, "/ftp/kick?id=x": 400, "/ftp/kick": 400} {
			if w := (request{target: target}).do(s); w.Code != status {
				t.Errorf("%s: %d", target, w.Code)
			}
		}
		if !reflect.DeepEqual(f.kicked, []uint64{2, 3}) {
			t.Errorf("kicked %v", f.kicked)
		}
	})
}

type fakeBans struct{ all []Ban }

func (f *fakeBans) Bans() []Ban { return f.all }

func (f *fakeBans) Ban(network, duration string) (Ban, error) {
	if network == "x" {
		return Ban{}, errors.New("no network")
	}
	b := Ban{Network: network, Times: 1, Reason: duration}
	f.all = append(f.all, b)
	return b, nil
}

func (f *fakeBans) Unban(network string) (bool, error) {
	if network == "x" {
		return false, errors.New("no network")
	}
	return len(f.all) > 0 && f.all[0].Network == network, nil
}

func (f *fakeBans) UnbanAll() int { return len(f.all) }

func TestBans(t *testing.T) {
	f := &fakeBans{}
	s := newServer(t, Options{NoAuth: true, Calls: BanCalls(f)})
	wantJSON(t, request{target: "/ftp/bans"}.do(s), 200, `{"bans":[]}`)
	one := `{"network":"192.0.2.1","until":"0001-01-01T00:00:00Z","times":1,"reason":"2h"}`
	wantJSON(t, request{target: "/ftp/ban?address=192.0.2.1&for=2h"}.do(s), 200, one)
	wantJSON(t, request{target: "/ftp/bans"}.do(s), 200, `{"bans":[`+one+`]}`)
	wantJSON(t, request{target: "/ftp/unban?address=192.0.2.1"}.do(s), 200, `{"lifted":1}`)
	wantJSON(t, request{target: "/ftp/unban?all=true"}.do(s), 200, `{"lifted":1}`)
	for target, status := range map[string]int{
		"/ftp/ban": 400, "/ftp/ban?address=x": 400, "/ftp/unban": 400, "/ftp/unban?address=x": 400, "/ftp/unban?address=192.0.2.2": 404, "/ftp/unban?all=x": 400,
	} {
		if w := (request{target: target}).do(s); w.Code != status {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}
