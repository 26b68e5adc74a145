package acme

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/libdns/libdns"
)

// Accounts are those at a server of acme-dns, by the name that each is for; "" is for all others.
type Accounts map[string]Account

// An Account is what POST /register of acme-dns answers.
type Account struct {
	Username   string `json:"username"`
	Password   string `json:"password"`
	Subdomain  string `json:"subdomain"`
	FullDomain string `json:"fulldomain"`
}

// String shows no password.
func (a Account) String() string { return a.FullDomain }

// GoString hides the password from %#v.
func (a Account) GoString() string { return a.String() }

// ParseAccounts reads one answer of POST /register, or an object of several by their names, as
// clients of acme-dns keep them.
func ParseAccounts(text []byte) (Accounts, error) {
	var one Account
	if err := json.Unmarshal(text, &one); err == nil && one.Username != "" {
		return Accounts{"": one}, one.check()
	}
	var all Accounts
	if err := json.Unmarshal(text, &all); err != nil || len(all) == 0 {
		return nil, errors.New("it is not what POST /register of acme-dns answers: " +
			"make it by curl -X POST https://SERVER/register >FILE; chmod 600 FILE")
	}
	for name, a := range all {
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func (a Account) check() error {
	if a.Username == "" || a.Password == "" || a.Subdomain == "" {
		return errors.New("username, password or subdomain is missing")
	}
	return nil
}

// NewACMEDNS returns a Provider for a server of acme-dns: _acme-challenge of each name is a CNAME
// of the fulldomain of its account.
func NewACMEDNS(server string, accounts Accounts) Provider {
	return &acmeDNS{strings.TrimSuffix(server, "/"), accounts}
}

type acmeDNS struct {
	server   string
	accounts Accounts
}

// account returns the one for the record of a challenge.
func (d *acmeDNS) account(record string) (Account, error) {
	name := strings.TrimPrefix(record, "_acme-challenge.")
	if a, ok := d.accounts[name]; ok {
		return a, nil
	}
	if a, ok := d.accounts[""]; ok {
		return a, nil
	}
	return Account{}, fmt.Errorf("acme-dns: there is no account for %s in the file of --acme-dns-account", name)
}

// AppendRecords implements Provider.
func (d *acmeDNS) AppendRecords(ctx context.Context, zone string, records []libdns.Record) ([]libdns.Record, error) {
	for _, r := range textRecords(zone, records) {
		if err := d.update(ctx, r); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// DeleteRecords implements Provider. Such a server keeps the last two values, and needs none
// deleted.
func (*acmeDNS) DeleteRecords(_ context.Context, _ string, records []libdns.Record) ([]libdns.Record, error) {
	return records, nil
}

func (d *acmeDNS) update(ctx context.Context, r textRecord) error {
	a, err := d.account(r.name)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"subdomain": a.Subdomain, "txt": r.value})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.server+"/update", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-User", a.Username)
	req.Header.Set("X-Api-Key", a.Password)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	// Its key is not for another address.
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("acme-dns: %w", err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, tailOfError)) // it is only for the error
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("acme-dns: %s answers %s%s: see that the account is one of that server and may be used from here (allowfrom)",
			d.server, resp.Status, lastOf(answer))
	}
	return nil
}
