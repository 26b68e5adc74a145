package acme

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

const accountLock = "account" // held while one is made

func (m *Manager) accountKey(file string) string { return path.Join("accounts", m.issuerKey(), file) }

// account returns the account at the authority, and makes one where there is none. Whoever names
// --acme agrees to the terms of the authority.
func (i *issuer) account(ctx context.Context) (acme.Account, error) {
	m := i.m
	if err := m.storage.Lock(ctx, accountLock); err != nil {
		return acme.Account{}, err
	}
	defer func() { _ = m.storage.Unlock(context.WithoutCancel(ctx), accountLock) }() // it ends by itself
	account, err := m.loadAccount(ctx)
	if err != nil {
		return account, err
	}
	contact := []string(nil)
	if m.o.Email != "" {
		contact = []string{"mailto:" + m.o.Email}
	}
	switch {
	case account.Location == "":
		account.Contact, account.TermsOfServiceAgreed = contact, true
		if m.o.External.ID != "" {
			eab := acme.EAB{KeyID: m.o.External.ID, MACKey: m.o.External.Key}
			if err := account.SetExternalAccountBinding(ctx, i.client, eab); err != nil {
				return account, err
			}
		}
		account, err = i.client.NewAccount(ctx, account)
		account.ExternalAccountBinding = nil
	case !slices.Equal(account.Contact, contact) && len(contact) > 0:
		account.Contact = contact
		account, err = i.client.UpdateAccount(ctx, account)
	default:
		return account, nil
	}
	if err != nil {
		return account, err
	}
	if len(account.Contact) == 0 {
		account.Contact = contact // some authorities do not tell
	}
	text, err := json.MarshalIndent(account, "", "  ")
	if err != nil {
		return account, err
	}
	return account, m.storage.Store(ctx, m.accountKey("account.json"), text)
}

// loadAccount returns the stored account, without a Location if there is none yet. Its key is
// stored first, so that no account is made whose key nobody has.
func (m *Manager) loadAccount(ctx context.Context) (account acme.Account, err error) {
	account.PrivateKey, err = m.loadAccountKey(ctx)
	if err != nil {
		return account, err
	}
	text, err := m.storage.Load(ctx, m.accountKey("account.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return account, nil
	}
	if err != nil {
		return account, err
	}
	return account, json.Unmarshal(text, &account)
}

// loadAccountKey returns the private key of the account, a new one if there is none.
func (m *Manager) loadAccountKey(ctx context.Context) (crypto.Signer, error) {
	name := m.accountKey("account.key")
	text, err := m.storage.Load(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if text, err = certmagic.PEMEncodePrivateKey(key); err != nil {
			return nil, err
		}
		return key, m.storage.Store(ctx, name, text)
	}
	if err != nil {
		return nil, err
	}
	key, err := certmagic.PEMDecodePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key: %w: remove it, and a new account is made", m.storage.Filename(name), err)
	}
	return key, nil
}

// forget removes the stored account, which the authority does not know, and keeps its key.
func (i *issuer) forget(ctx context.Context) error {
	return i.m.storage.Delete(ctx, i.m.accountKey("account.json"))
}
