package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// A candidate is a kind of identity that the environment may offer.
type candidate struct {
	name string // in AZURE_TOKEN_CREDENTIALS
	dev  bool   // for people at their own machines: whatever it fails with, the next one is asked
	get  source
}

// Environment returns the credential of the first identity that there is: a service principal in
// AZURE_* variables, a workload identity of Kubernetes, a managed identity, the logins of az and of
// azd. AZURE_TOKEN_CREDENTIALS chooses among them: dev, prod or the name of one.
func Environment(client *http.Client) (*Credential, error) {
	all := []candidate{
		{"EnvironmentCredential", false, once(func() (*Credential, error) { return variables(client) })},
		{"WorkloadIdentityCredential", false, once(func() (*Credential, error) { return workload(client) })},
		{"ManagedIdentityCredential", false, managedHere(client)},
		{"AzureCLICredential", true, az},
		{"AzureDeveloperCLICredential", true, azd},
	}
	chosen, err := choose(all, os.Getenv("AZURE_TOKEN_CREDENTIALS"))
	if err != nil {
		return nil, err
	}
	if len(chosen) == 1 {
		return newCredential(chosen[0].get), nil
	}
	return newCredential(first(chosen)), nil
}

// choose returns those of all that the value of AZURE_TOKEN_CREDENTIALS names.
func choose(all []candidate, names string) ([]candidate, error) {
	var chosen []candidate
	for _, c := range all {
		switch {
		case names == "", names == "dev" && c.dev, names == "prod" && !c.dev, strings.EqualFold(names, c.name):
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("AZURE_TOKEN_CREDENTIALS is neither dev, prod, EnvironmentCredential, WorkloadIdentityCredential, " +
			"ManagedIdentityCredential, AzureCLICredential nor AzureDeveloperCLICredential")
	}
	return chosen, nil
}

// first asks one after the other, and from then on the one that gave a token. It is not for several
// goroutines at once.
func first(all []candidate) source {
	var found source
	return func(ctx context.Context) (Token, error) {
		if found != nil {
			return found(ctx)
		}
		var reasons []string
		for _, c := range all {
			t, err := c.get(ctx)
			switch {
			case err == nil:
				found = c.get
				return t, nil
			case ctx.Err() != nil || !c.dev && !isAbsent(err):
				return Token{}, err
			}
			reasons = append(reasons, err.Error())
		}
		return Token{}, absent("the environment has no identity: %s", strings.Join(reasons, "; "))
	}
}

// once makes the credential when it is asked first. It is not for several goroutines at once.
func once(create func() (*Credential, error)) source {
	var c *Credential
	return func(ctx context.Context) (Token, error) {
		if c == nil {
			made, err := create()
			if err != nil {
				return Token{}, err
			}
			c = made
		}
		return c.Token(ctx)
	}
}

// variables is the service principal of AZURE_* variables.
func variables(client *http.Client) (*Credential, error) {
	p := Principal{os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")}
	secret, path := os.Getenv("AZURE_CLIENT_SECRET"), os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH")
	switch {
	case p.Tenant == "" || p.ClientID == "":
		return nil, absent("AZURE_TENANT_ID or AZURE_CLIENT_ID is not set")
	case secret != "":
		return Secret(client, p, secret)
	case path != "":
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("AZURE_CLIENT_CERTIFICATE_PATH cannot be read: %v", err) // it is not the remote that is missing
		}
		chain, _ := strconv.ParseBool(os.Getenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")) // false unless it is set
		return Certificate(client, p, file, os.Getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD"), chain)
	case os.Getenv("AZURE_USERNAME") != "":
		return nil, errors.New("AZURE_USERNAME is not supported, as Entra ID gives it up: use a service principal")
	}
	return nil, absent("neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set")
}

// workload is the identity that Kubernetes gives to a pod.
func workload(client *http.Client) (*Credential, error) {
	p := Principal{os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")}
	path := os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if p.Tenant == "" || p.ClientID == "" || path == "" {
		return nil, absent("AZURE_FEDERATED_TOKEN_FILE is not set")
	}
	return Federated(client, p, path)
}

// managedHere is the managed identity that AZURE_CLIENT_ID names, or the machine's own, where there
// is any.
func managedHere(client *http.Client) source {
	return func(ctx context.Context) (Token, error) {
		if onMachine() && !hasMachine(ctx, client) {
			return Token{}, absent("no managed identity")
		}
		get, err := managed(client, Identity{ClientID: os.Getenv("AZURE_CLIENT_ID")})
		if err != nil {
			return Token{}, err
		}
		t, err := get(ctx)
		var refused *RefusedError
		if errors.As(err, &refused) { // the machine has none
			return Token{}, absent("no managed identity: %s", refused.Code)
		}
		return t, err
	}
}
