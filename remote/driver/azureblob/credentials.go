package azureblob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"ferry/remote/driver/azureblob/entra"
)

// Credentials say who the client is. What is set is looked for in the order of the fields; without
// any, the account is used anonymously.
type Credentials struct {
	EnvAuth          bool // what the environment offers: a service principal, a managed identity, the az program
	UseEmulator      bool // the emulator at its default address, or at Options.Endpoint
	Key              string
	UseAZ            bool // the az program
	SASURL           string
	ConnectionString string

	Tenant                    string // of a service principal, with ClientID and a secret or a certificate
	ClientID                  string
	ClientSecret              string
	ClientCertificatePath     string
	ClientCertificatePassword string
	ClientCertificateChain    bool   // all certificates of the file are sent
	ServicePrincipalFile      string // JSON, as "az ad sp create-for-rbac" writes it

	UseMSI      bool // a managed identity of this machine; with several, one of the following names it
	MSIObjectID string
	MSIClientID string
	MSIResID    string
}

// connect makes the client for the first of the credentials that is set.
func connect(client *http.Client, o Options) (*account, error) {
	switch {
	case o.EnvAuth:
		return withToken(client, o)
	case o.UseEmulator:
		o.Account, o.Key = emulatorAccount, emulatorKey
		if o.Endpoint == "" {
			o.Endpoint = emulatorEndpoint
		}
		return withKey(client, o)
	case o.Key != "":
		return withKey(client, o)
	case o.UseAZ:
		return withToken(client, o)
	case o.SASURL != "":
		return withSignature(client, o)
	case o.ConnectionString != "":
		s, err := service.NewClientFromConnectionString(o.ConnectionString, clientOptions(client, o.Network))
		if err != nil {
			return nil, errors.New("azureblob: option connection_string is not a connection string of a storage account")
		}
		signed := strings.Contains(s.URL(), "?")
		return &account{service: s, host: hostOf(s.URL()), signed: signed, sharedKey: !signed}, nil
	case o.ClientID != "" || o.ServicePrincipalFile != "" || o.UseMSI:
		return withToken(client, o)
	}
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	s, err := service.NewClientWithNoCredential(endpoint, clientOptions(client, o.Network))
	if err != nil {
		return nil, errors.New("azureblob: option endpoint is not the URL of a server")
	}
	return &account{service: s, host: hostOf(endpoint)}, nil
}

func withKey(client *http.Client, o Options) (*account, error) {
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	if o.Account == "" {
		return nil, errors.New("azureblob: option account is missing, which the key belongs to")
	}
	key, err := service.NewSharedKeyCredential(o.Account, o.Key)
	if err != nil {
		return nil, errors.New("azureblob: option key is not the key of a storage account, which is base64")
	}
	s, err := service.NewClientWithSharedKeyCredential(endpoint, key, clientOptions(client, o.Network))
	if err != nil {
		return nil, errors.New("azureblob: option endpoint is not the URL of a server")
	}
	return &account{service: s, host: hostOf(endpoint), sharedKey: true}, nil
}

// withSignature takes the URL of an account or of a container, with the signature as its query.
func withSignature(client *http.Client, o Options) (*account, error) {
	u, err := url.Parse(o.SASURL)
	if err != nil || u.Host == "" || !u.Query().Has("sig") {
		return nil, errors.New("azureblob: option sas_url is not a URL with a signature")
	}
	container := strings.Trim(u.Path, "/")
	if endpoint, err := url.Parse(o.Endpoint); o.Endpoint != "" && err == nil {
		// An emulator has the account in its path.
		container = strings.Trim(strings.TrimPrefix(u.Path, strings.TrimSuffix(endpoint.Path, "/")), "/")
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), container)
	s, err := service.NewClientWithNoCredential(u.String(), clientOptions(client, o.Network))
	if err != nil {
		return nil, errors.New("azureblob: option sas_url is not a URL with a signature")
	}
	return &account{service: s, host: u.Host, container: container, signed: true}, nil
}

// withToken asks Entra ID for tokens.
func withToken(client *http.Client, o Options) (*account, error) {
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	c, option, err := credential(client, o)
	if err != nil {
		return nil, fmt.Errorf("azureblob: option %s: %w", option, err)
	}
	s, err := service.NewClient(endpoint, bearer{c}, clientOptions(client, o.Network))
	if err != nil {
		return nil, errors.New("azureblob: option endpoint is not the URL of a server")
	}
	return &account{service: s, host: hostOf(endpoint), token: c}, nil
}

// A bearer shows the client's library the tokens of Entra ID.
type bearer struct{ *entra.Credential }

// GetToken implements azcore.TokenCredential.
func (b bearer) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t, err := b.Token(ctx)
	return azcore.AccessToken{Token: t.Value, ExpiresOn: t.Expires}, err
}

// credential makes the credential, and names the option that decided which.
func credential(client *http.Client, o Options) (c *entra.Credential, option string, err error) {
	switch {
	case o.EnvAuth:
		c, err = entra.Environment(client)
		return c, "env_auth", err
	case o.UseAZ:
		return entra.AZ(), "use_az", nil
	case o.UseMSI:
		id := entra.Identity{ClientID: o.MSIClientID}
		if id.ClientID == "" {
			id.ResourceID = o.MSIResID
		}
		if id == (entra.Identity{}) {
			id.ObjectID = o.MSIObjectID
		}
		c, err = entra.Managed(client, id)
		return c, "use_msi", err
	case o.ServicePrincipalFile != "":
		c, err = principalFromFile(client, o.ServicePrincipalFile)
		return c, "service_principal_file", err
	}
	p := entra.Principal{Tenant: o.Tenant, ClientID: o.ClientID}
	if o.ClientCertificatePath == "" {
		c, err = entra.Secret(client, p, o.ClientSecret)
		return c, "client_secret", err
	}
	option = "client_certificate_path"
	file, err := os.ReadFile(o.ClientCertificatePath)
	if err != nil {
		return nil, option, errUnreadable
	}
	c, err = entra.Certificate(client, p, file, o.ClientCertificatePassword, o.ClientCertificateChain)
	return c, option, err
}

var errUnreadable = errors.New("the file cannot be read")

func principalFromFile(client *http.Client, path string) (*entra.Credential, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, errUnreadable
	}
	var principal struct{ AppID, Password, Tenant string }
	if err := json.Unmarshal(content, &principal); err != nil {
		return nil, errors.New("the file is not what az ad sp create-for-rbac writes")
	}
	return entra.Secret(client, entra.Principal{Tenant: principal.Tenant, ClientID: principal.AppID}, principal.Password)
}
