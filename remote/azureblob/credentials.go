package azureblob

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// Credentials say who the client is. What is set is looked for in the order of the fields; without any, the account is
// used anonymously.
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
	ServicePrincipalFile      string // JSON, as "az ad sp create-for-rbac" writes it

	UseMSI      bool // a managed identity of this machine; with several, one of the following names it
	MSIObjectID string
	MSIClientID string
	MSIResID    string

	DisableInstanceDiscovery bool
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
	credential, option, err := tokenCredential(client, o)
	if err != nil {
		return nil, fmt.Errorf("azureblob: option %s: there is no such identity, or it is incomplete", option)
	}
	s, err := service.NewClient(endpoint, credential, clientOptions(client, o.Network))
	if err != nil {
		return nil, errors.New("azureblob: option endpoint is not the URL of a server")
	}
	return &account{service: s, host: hostOf(endpoint), token: credential}, nil
}

// tokenCredential makes the credential, and names the option that decided which.
func tokenCredential(client *http.Client, o Options) (c azcore.TokenCredential, option string, err error) {
	common := policy.ClientOptions{Transport: client}
	switch {
	case o.EnvAuth:
		c, err = azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: common, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
		})
		return c, "env_auth", err
	case o.UseAZ:
		c, err = azidentity.NewAzureCLICredential(nil)
		return c, "use_az", err
	case o.UseMSI:
		identity := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: common}
		switch {
		case o.MSIClientID != "":
			identity.ID = azidentity.ClientID(o.MSIClientID)
		case o.MSIResID != "":
			identity.ID = azidentity.ResourceID(o.MSIResID)
		case o.MSIObjectID != "":
			identity.ID = azidentity.ObjectID(o.MSIObjectID)
		}
		c, err = azidentity.NewManagedIdentityCredential(identity)
		return c, "use_msi", err
	case o.ServicePrincipalFile != "":
		return principalFromFile(common, o)
	case o.ClientCertificatePath != "":
		c, err = certificate(common, o)
		return c, "client_certificate_path", err
	}
	c, err = azidentity.NewClientSecretCredential(o.Tenant, o.ClientID, o.ClientSecret, secretOptions(common, o))
	return c, "client_secret", err
}

func secretOptions(common policy.ClientOptions, o Options) *azidentity.ClientSecretCredentialOptions {
	return &azidentity.ClientSecretCredentialOptions{
		ClientOptions: common, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
	}
}

func principalFromFile(common policy.ClientOptions, o Options) (azcore.TokenCredential, string, error) {
	const option = "service_principal_file"
	content, err := os.ReadFile(o.ServicePrincipalFile)
	if err != nil {
		return nil, option, err
	}
	var principal struct{ AppID, Password, Tenant string }
	if err := json.Unmarshal(content, &principal); err != nil {
		return nil, option, err
	}
	c, err := azidentity.NewClientSecretCredential(principal.Tenant, principal.AppID, principal.Password,
		secretOptions(common, o))
	return c, option, err
}

func certificate(common policy.ClientOptions, o Options) (azcore.TokenCredential, error) {
	content, err := os.ReadFile(o.ClientCertificatePath)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(content, []byte(o.ClientCertificatePassword))
	if err != nil {
		return nil, err
	}
	return azidentity.NewClientCertificateCredential(o.Tenant, o.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: common, DisableInstanceDiscovery: o.DisableInstanceDiscovery,
		})
}
