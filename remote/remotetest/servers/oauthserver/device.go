package oauthserver

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"
)

// grantDevice is what devices ask for (RFC 8628 section 3.4).
const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// lost stands for an answer that is none: the connection is closed.
const lost = "lost"

// A device waits for its code to be typed.
type device struct {
	approved bool
	interval time.Duration // after which it may ask
	asked    time.Time     // last; before that, when it got its code
}

// slack is how much sooner a device may ask, as clocks go.
const slack = 100 * time.Millisecond

func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.ParseForm() != nil || r.Form.Get("client_id") != ClientID || r.Form.Get("scope") == "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
		return
	}
	c := "d-" + Mark + rand.Text()
	life := cmp.Or(s.CodeLife, 15*time.Minute)
	s.mu.Lock()
	s.device[c] = &device{interval: time.Second, asked: time.Now()}
	s.mu.Unlock()
	fmt.Fprintf(w, `{"device_code":%q,"user_code":"ABCD-EFGH","verification_uri":"https://device.example.org","expires_in":%d,"interval":1}`, c, life/time.Second)
}

// checkDevice returns why there is no token for a device yet. The caller holds the lock.
func (s *Server) checkDevice(code string) string {
	d := s.device[code]
	switch {
	case s.denied:
		return "access_denied"
	case d == nil:
		return "expired_token"
	}
	if time.Since(d.asked) < d.interval-slack {
		s.hasty++
	}
	d.asked = time.Now()
	refused := "authorization_pending"
	if len(s.Polls) > 0 {
		refused, s.Polls = s.Polls[0], s.Polls[1:]
	}
	switch {
	case refused == "":
		return lost
	case refused == "approved", d.approved:
		delete(s.device, code)
		return ""
	case refused == "slow_down":
		d.interval += 5 * time.Second // RFC 8628 section 3.5
	}
	return refused
}
