package source

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// hello answers senders that want to know first whether they are welcome. It reports whether that
// was such a question.
func (w *Webhook) hello(a http.ResponseWriter, r *http.Request, body []byte) bool {
	if code := validationCode(body); code != "" {
		a.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(a).Encode(map[string]string{"validationResponse": code}) // the sender asks again
		return true
	}
	var says struct{ Type, SubscribeURL string }
	if json.Unmarshal(body, &says) != nil || says.Type != "SubscriptionConfirmation" {
		return false
	}
	if !isSNS(says.SubscribeURL) {
		http.Error(a, "That is no address of Amazon SNS.", http.StatusBadRequest)
		return true
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	q, err := request(ctx, http.MethodGet, says.SubscribeURL)
	if err == nil {
		err = call(w.client, q, nil)
	}
	if err != nil {
		http.Error(a, "Amazon SNS does not confirm the subscription.", http.StatusBadGateway) // it asks again
		return true
	}
	a.WriteHeader(http.StatusOK)
	return true
}

// validationCode is that of the question of Event Grid, "" if it is another.
func validationCode(body []byte) string {
	var events []struct {
		EventType string
		Data      struct{ ValidationCode string }
	}
	if json.Unmarshal(body, &events) != nil || len(events) == 0 || events[0].EventType != "Microsoft.EventGrid.SubscriptionValidationEvent" {
		return ""
	}
	return events[0].Data.ValidationCode
}

// allowEvents answers the question of CloudEvents (HTTP 1.1 Web Hooks, section 4).
func allowEvents(a http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
		a.Header().Set("WebHook-Allowed-Origin", origin)
		a.Header().Set("WebHook-Allowed-Rate", "*")
	}
	a.Header().Set("Allow", "POST, OPTIONS")
	a.WriteHeader(http.StatusOK)
}

// isSNS reports whether a URL is one of Amazon SNS: no other may be called because somebody says
// so.
func isSNS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && regexp.MustCompile(`^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$`).MatchString(u.Host)
}
