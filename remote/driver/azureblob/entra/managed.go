package entra

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

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

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
