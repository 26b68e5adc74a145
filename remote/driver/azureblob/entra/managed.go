package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// An Identity names a managed identity of this machine by one of its ids; without any it is the
// machine's own.
type Identity struct{ ClientID, ObjectID, ResourceID string }

// probeTime is how long the metadata service of a virtual machine may take to show that it is
// there.
const probeTime = time.Second

// Managed returns the credential of a managed identity: of a virtual machine, App Service and what
// is like it, Azure Arc, Machine Learning or the Cloud Shell. Which one this is, the environment
// tells.
func Managed(client *http.Client, id Identity) (*Credential, error) {
	get, err := managed(client, id)
	if err != nil {
		return nil, err
	}
	return newCredential(get), nil
}

func managed(client *http.Client, id Identity) (source, error) {
	endpoint, header := os.Getenv("IDENTITY_ENDPOINT"), os.Getenv("IDENTITY_HEADER")
	other, secret := os.Getenv("MSI_ENDPOINT"), os.Getenv("MSI_SECRET")
	switch {
	case endpoint != "" && header != "" && os.Getenv("IDENTITY_SERVER_THUMBPRINT") != "":
		return nil, errors.New("identities of Service Fabric are not supported: use a service principal")
	case endpoint != "" && header != "":
		query := url.Values{"api-version": {"2019-08-01"}, "resource": {resource}}
		id.name(query, "client_id", "object_id", "mi_res_id")
		return asker(client, http.MethodGet, endpoint, query, "X-Identity-Header", header), nil
	case other != "" && secret != "":
		query := url.Values{"api-version": {"2017-09-01"}, "resource": {resource}}
		query.Set("clientid", cmp.Or(id.ClientID, os.Getenv("DEFAULT_IDENTITY_CLIENT_ID")))
		if id.ObjectID != "" || id.ResourceID != "" {
			return nil, errors.New("identities of Machine Learning are named by client id")
		}
		return asker(client, http.MethodGet, other, query, "Secret", secret), nil
	case other != "":
		if id != (Identity{}) {
			return nil, errors.New("the Cloud Shell has the user's identity only")
		}
		return asker(client, http.MethodPost, other, url.Values{"resource": {resource}}, "Metadata", "true"), nil
	case endpoint != "" && os.Getenv("IMDS_ENDPOINT") != "", exists(arcAgent):
		return arc(client, cmp.Or(endpoint, arcEndpoint), arcTokens, id), nil
	}
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}
	id.name(query, "client_id", "object_id", "msi_res_id")
	return asker(client, http.MethodGet, machineEndpoint(), query, "Metadata", "true"), nil
}

// machineEndpoint is where a virtual machine gets tokens.
func machineEndpoint() string {
	host := cmp.Or(os.Getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "http://169.254.169.254")
	return strings.TrimSuffix(host, "/") + "/metadata/identity/oauth2/token"
}

// hasMachine reports whether a virtual machine's metadata service is there. Elsewhere nobody
// answers at that address.
func hasMachine(ctx context.Context, client *http.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, machineEndpoint(), nil)
	if err != nil {
		return false
	}
	answer, err := client.Do(r) // which is refused without the header Metadata
	if err != nil {
		return false
	}
	answer.Body.Close()
	return true
}

// onMachine reports whether a managed identity would be that of a virtual machine.
func onMachine() bool {
	return os.Getenv("IDENTITY_ENDPOINT") == "" && os.Getenv("MSI_ENDPOINT") == "" && !exists(arcAgent)
}

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

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
