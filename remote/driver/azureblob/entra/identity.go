package entra

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An Identity names a managed identity of this machine by one of its ids; without any it is the
// machine's own.
type Identity struct{ ClientID, ObjectID, ResourceID string }

// name puts an id into a query, whose parameter for each kind is given.
func (id Identity) name(query url.Values, client, object, resource string) {
	for parameter, value := range map[string]string{client: id.ClientID, object: id.ObjectID, resource: id.ResourceID} {
		if value != "" {
			query.Set(parameter, value)
		}
	}
}

// asker asks a server of this machine, which knows it by the header key.
func asker(client *http.Client, method, address string, query url.Values, key, value string) source {
	return func(ctx context.Context) (Token, error) {
		r, err := newRequest(ctx, method, address, query)
		if err != nil {
			return Token{}, err
		}
		r.Header.Set(key, value)
		answer, err := client.Do(r)
		if err != nil {
			return Token{}, err
		}
		return readToken(answer)
	}
}

func newRequest(ctx context.Context, method, address string, query url.Values) (*http.Request, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(query.Encode())
	} else {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, errors.New("the address of the identity server in the environment is no URL")
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, nil
}

// readToken reads what identity servers answer, and closes it. Some write numbers as strings.
func readToken(answer *http.Response) (Token, error) {
	defer answer.Body.Close()
	var says struct {
		AccessToken string          `json:"access_token"`
		ExpiresOn   json.RawMessage `json:"expires_on"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		Error       json.RawMessage `json:"error"`
	}
	err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&says)
	if answer.StatusCode != http.StatusOK {
		code, _ := strconv.Unquote(string(says.Error)) // some say it otherwise
		return Token{}, answered(answer.StatusCode, code)
	}
	if err != nil || says.AccessToken == "" {
		return Token{}, errors.New("the identity server's answer is no token")
	}
	t := Token{Value: says.AccessToken}
	if at, ok := number(says.ExpiresOn); ok {
		t.Expires = time.Unix(at, 0)
	} else if seconds, ok := number(says.ExpiresIn); ok {
		t.Expires = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	return t, nil
}

func number(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	return n, err == nil
}
