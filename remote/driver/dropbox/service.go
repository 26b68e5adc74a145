package dropbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/network"
)

const (
	// maxAnswer is how long an answer without a content may be. A page of two thousand files has a
	// megabyte.
	maxAnswer = 64 << 20
	// idleConnections is how many connections are kept for the next requests.
	idleConnections = 64
	// pollIdle is how long a server may be silent that was asked to tell of the next change: half a
	// minute, and up to 90 seconds that it adds.
	pollIdle = 3 * time.Minute
)

// A service makes requests. Its methods may be called concurrently.
type service struct {
	api, content, notify string // where URLs of requests begin
	client               *http.Client
	poll                 *http.Client // for what is asked without a token
	tries                int
	pace                 pace
	gate                 chan struct{} // holds something while a change is made
	login                string        // the command that logs in again

	account account
	mu      sync.Mutex
	header  http.Header // guarded by mu; on whose behalf; nil = it was not asked yet
}

func newService(o Options, team bool) (*service, error) {
	api, content, notify, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	base, patient := o.Network.Transport(idleConnections), o.Network
	patient.IdleTimeout = max(patient.Idle(), pollIdle)
	signed := &oauth2.Transport{Base: network.Answers(base, harmless), Source: o.Tokens}
	return &service{
		api: api, content: content, notify: notify,
		client:  &http.Client{Transport: &closing{signed, base.CloseIdleConnections}, CheckRedirect: network.NotFollowed},
		poll:    &http.Client{Transport: network.Answers(patient.Transport(1), harmless), CheckRedirect: network.NotFollowed},
		tries:   o.Network.Tries(),
		gate:    make(chan struct{}, 1),
		login:   o.Login,
		account: account{team: team, namespace: o.RootNamespace, member: o.Impersonate, admin: o.AdminID},
	}, nil
}

// closing lets http.Client close the connections below a transport that does not.
type closing struct {
	http.RoundTripper
	idle func()
}

// CloseIdleConnections is what http.Client looks for.
func (c *closing) CloseIdleConnections() { c.idle() }

func (s *service) close() {
	s.client.CloseIdleConnections()
	s.poll.CloseIdleConnections()
}

// change is rpc for a request that changes something: they are made one at a time.
func (s *service) change(ctx context.Context, route string, arg, answer any) error {
	release, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.rpc(ctx, route, arg, answer)
}

// gatePatience is how long a change waits for another one. One that is not answered must not keep
// all others back: what Dropbox then refuses, as it is still being made, is made again.
const gatePatience = 3 * time.Second

// enter waits until no other change is made, but not long.
func (s *service) enter(ctx context.Context) (release func(), err error) {
	patience := time.NewTimer(gatePatience)
	defer patience.Stop()
	select {
	case s.gate <- struct{}{}:
		return func() { <-s.gate }, nil
	case <-patience.C:
		return func() {}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// rpc makes a request whose argument and answer are JSON. answer may be nil.
func (s *service) rpc(ctx context.Context, route string, arg, answer any) error {
	got, err := s.ask(ctx, route, busyOnly, func() (*http.Request, error) { return s.rpcRequest(ctx, route, arg) })
	if err != nil {
		return err
	}
	return decode(got, answer)
}

func (s *service) rpcRequest(ctx context.Context, route string, arg any) (*http.Request, error) {
	sent := []byte("null")
	if arg != nil {
		var err error
		if sent, err = json.Marshal(arg); err != nil {
			return nil, err
		}
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api+route, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	return q, s.represent(ctx, q)
}

// How a request is made again.
type again uint8

const (
	busyOnly    again = iota // where there are too many: all others are made again by whoever has asked
	onceReached              // also where it failed on the way, unless the server cannot be reached at all
	always                   // also then
)

// repeatTime is how long a request is made again.
const repeatTime = 32 * time.Second

// send sends content with a request and decodes the answer.
func (s *service) send(ctx context.Context, route string, arg any, content []byte, repeats again, answer any) error {
	got, err := s.ask(ctx, route, repeats, func() (*http.Request, error) {
		q, err := s.contentRequest(ctx, route, arg, bytes.NewReader(content))
		if err == nil {
			q.Header.Set("Content-Type", "application/octet-stream")
		}
		return q, err
	})
	if err != nil {
		return err
	}
	return decode(got, answer)
}

// contentRequest has its argument in its header, so that the body is free.
func (s *service) contentRequest(ctx context.Context, route string, arg any, body io.Reader) (*http.Request, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.content+route, body)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(arg)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Dropbox-API-Arg", asciiOnly(text))
	return q, s.represent(ctx, q)
}

// ask makes a request and returns an answer that grants it.
func (s *service) ask(ctx context.Context, route string, repeats again, request func() (*http.Request, error)) (*http.Response, error) {
	began := time.Now()
	for tried := 1; ; tried++ {
		if err := s.pace.Wait(ctx); err != nil {
			return nil, err
		}
		q, err := request()
		if err != nil {
			return nil, err
		}
		got, err := s.client.Do(q)
		if err == nil {
			if err = s.check(got, route); err == nil {
				return got, nil
			}
			got.Body.Close()
		}
		busy, after := tooMany(err)
		switch {
		case ctx.Err() != nil || !busy && !(passes(err) && (repeats == always || repeats == onceReached && !unreachable(err))):
			return nil, err
		case tried >= s.tries || !busy && time.Since(began) > repeatTime:
			return nil, remote.Repeated(err)
		case busy:
			s.pace.slow(ctx, tried, after)
		default:
			if err := remote.Sleep(ctx, backoff(tried)); err != nil {
				return nil, err
			}
		}
	}
}

// decode reads an answer into v, unless that is nil, and closes it.
func decode(got *http.Response, v any) error {
	defer got.Body.Close()
	body, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil || v == nil {
		return err
	}
	if json.Unmarshal(body, v) != nil {
		return errMalformed
	}
	return nil
}

var errMalformed = fmt.Errorf("%w: check the option endpoint", remote.ErrMalformed)

// longpoll waits for a change behind cursor.
func (s *service) longpoll(ctx context.Context, cursor string) (changed bool, backoff time.Duration, err error) {
	sent, err := json.Marshal(map[string]any{"cursor": cursor, "timeout": 30})
	if err != nil {
		return false, 0, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.notify+"files/list_folder/longpoll", bytes.NewReader(sent))
	if err != nil {
		return false, 0, err
	}
	q.Header.Set("Content-Type", "application/json")
	got, err := s.poll.Do(q)
	if err != nil {
		return false, 0, err
	}
	if err := s.check(got, "files/list_folder/longpoll"); err != nil {
		got.Body.Close()
		return false, 0, err
	}
	var answer struct {
		Changes bool
		Backoff int64
	}
	err = decode(got, &answer)
	return answer.Changes, time.Duration(answer.Backoff) * time.Second, err
}

// represent says in q on whose behalf it is made. That is found out once.
func (s *service) represent(ctx context.Context, q *http.Request) error {
	h, err := s.representing(ctx)
	for name, values := range h {
		q.Header[name] = values
	}
	return err
}

func (s *service) representing(ctx context.Context) (http.Header, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.header != nil {
		return s.header, nil
	}
	h, err := s.account.header(func(route string, h http.Header, arg, answer any) error { return s.query(ctx, route, h, arg, answer) })
	if err != nil {
		return nil, err
	}
	s.header = h
	return h, nil
}

// query is rpc with a header.
func (s *service) query(ctx context.Context, route string, h http.Header, arg, answer any) error {
	sent, err := json.Marshal(arg)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api+route, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	for name, values := range h {
		q.Header[name] = values
	}
	q.Header.Set("Content-Type", "application/json")
	got, err := s.client.Do(q)
	if err != nil {
		return err
	}
	if err := s.check(got, route); err != nil {
		got.Body.Close()
		return err
	}
	return decode(got, answer)
}

// parseEndpoint returns the addresses that requests, contents and notifications begin with.
func parseEndpoint(s string) (api, content, notify string, err error) {
	if s == "" {
		return "https://api.dropboxapi.com/2/", "https://content.dropboxapi.com/2/", "https://notify.dropboxapi.com/2/", nil
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", "", "", errors.New("dropbox: option endpoint is not the URL of a server: https://host:port")
	}
	base := strings.TrimSuffix(u.String(), "/") + "/2/"
	return base, base, base, nil
}

// harmless reports whether nobody sees what a request does: it looks, or sends content to a session
// that no commit has made a file.
func harmless(q *http.Request) bool {
	for _, route := range []string{
		"files/upload", "files/upload_session/finish", "files/upload_session/finish_batch_v2", "files/delete_v2", "files/move_v2",
		"files/copy_v2", "files/create_folder_v2",
	} {
		if strings.HasSuffix(q.URL.Path, "/2/"+route) {
			return false
		}
	}
	return true
}
