package auth

import "encoding/json"

// A Grant is what a source says that a user gets, besides that he may log in. Fields that are zero
// say nothing. It may be shared: nobody changes it.
type Grant struct {
	Remote  string   // remote string of the user's tree
	Backend *Backend // instead of Remote: the tree as rclone's programs name it
	Mounts  []Mount  // beside these, or without them
	Start   string   // working directory after the login

	QuotaBytes, QuotaFiles int64
	RateUp, RateDown       int64 // bytes a second, of all sessions of the user
	MaxSessions            int

	// SFTPGo is the user as a service for SFTPGo describes him; the other fields are then zero.
	SFTPGo json.RawMessage
}

// A Backend is a tree by the type and the options of its back end.
type Backend struct {
	Type, Root string
	Options    map[string]string
	// Plain names options with a value in plain text although the type expects it obscured.
	Plain []string
}

// A Mount is a tree at a path of the user's tree.
type Mount struct{ Path, Remote string }
