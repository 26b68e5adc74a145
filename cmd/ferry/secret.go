package main

import "log/slog"

// A secret is a text that no log, error or listing of flags shows.
type secret string

const hidden = "***"

// String returns "***", or nothing for an empty secret.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoding/json and the like.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// reveal returns the text itself.
func (s secret) reveal() string { return string(s) }
