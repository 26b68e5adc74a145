package ui

import (
	"context"
	"time"
)

// A Source tells of a server. Its methods may be called concurrently.
type Source interface {
	// Traffic returns how many bytes clients have sent and fetched since the start of the server.
	// It is called once a second, also if nobody looks.
	Traffic() (in, out int64)
	// Look returns the state of this moment. It does not wait for remotes.
	Look() State
	// Check asks the remotes whether they answer, which Look tells from then on. It returns soon
	// after ctx ends.
	Check(ctx context.Context)
}

// A State is what a server does at a moment. Its slices belong to who called Look.
type State struct {
	Server       Server
	Sessions     []Session // oldest first
	Waiting      []Waiting // oldest first
	Causes       []Cause
	Refused      []Refused // oldest first
	Bans         []Ban
	Users        []User
	Remotes      []Remote
	Caches       []Cache
	Certificates []Certificate
	Hooks        []Hook // those that are told, then those that are asked
	Feeds        []Feed // that are not listened to
	Ports        Ports
}

// Server is the process.
type Server struct {
	Name      string    `json:"name"` // of the machine
	Version   string    `json:"version"`
	Serves    string    `json:"serves"`
	Addresses []string  `json:"addresses"` // that clients connect to
	Since     time.Time `json:"since,omitzero"`
	Stopping  bool      `json:"stopping"` // it takes no new sessions
	Drained   string    `json:"drained"`  // it takes none until it is put back: how far that is; "" = it takes some
	Node      string    `json:"node"`     // its name among the nodes of a cluster; "" = there are none
	Nodes     int       `json:"nodes"`    // that are there, this one among them
	Alone     string    `json:"alone"`    // why NATS is not reached, by which nodes know of each other; "" = it is
	Twin      string    `json:"twin"`     // another process that has the name of this node; "" = none
}

// A Session is a client. Command and what follows are those of a running transfer.
type Session struct {
	ID      uint64    `json:"id"`
	User    string    `json:"user"` // "" before the login
	Address string    `json:"address"`
	Client  string    `json:"client"` // what it calls itself
	TLS     bool      `json:"tls"`
	Since   time.Time `json:"since,omitzero"`
	Last    string    `json:"last"` // its last command
	Active  time.Time `json:"active,omitzero"`
	Command string    `json:"command"` // "" = none runs
	Path    string    `json:"path"`
	Began   time.Time `json:"began,omitzero"`
	Bytes   int64     `json:"bytes"`
	Size    int64     `json:"size"` // below 0 = unknown
}

// Waiting is a pending change.
type Waiting struct {
	Tree      string    `json:"tree"` // as calls take it for fs; "" = there is only one
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Change    string    `json:"change"` // what it is: "file", "removal" ...
	File      bool      `json:"file"`   // it has a content
	Size      int64     `json:"size"`
	Since     time.Time `json:"since,omitzero"`
	Due       time.Time `json:"due,omitzero"`
	Tries     int       `json:"tries"`
	Error     string    `json:"error"` // of the last try; "" = none
	Uploading bool      `json:"uploading"`
}

// A Cause is why pending changes are late.
type Cause struct {
	Text    string    `json:"text"`
	Since   time.Time `json:"since,omitzero"`
	Changes int       `json:"changes"`
}

// Refused is a file that a remote refused for good.
type Refused struct {
	Tree   string    `json:"tree"`
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Size   int64     `json:"size"`
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason"`
}

// A Ban is an address that is kept away.
type Ban struct {
	Network string    `json:"network"`
	Until   time.Time `json:"until,omitzero"`
	Times   int       `json:"times"`
	Reason  string    `json:"reason"`
}

// A User has stored something, and may store so much. Limits of 0 are none.
type User struct {
	Name     string `json:"name"`
	Sessions int    `json:"sessions"`
	Bytes    int64  `json:"bytes"`
	Files    int64  `json:"files"`
	MaxBytes int64  `json:"maxBytes"`
	MaxFiles int64  `json:"maxFiles"`
	Counted  bool   `json:"counted"` // Bytes and Files are known
}

// A Remote is a storage.
type Remote struct {
	Tree    string `json:"tree"` // what is served of it
	Type    string `json:"type"`
	Calls   int64  `json:"calls"` // that have ended
	Errors  int64  `json:"errors"`
	Running int64  `json:"running"`
	Up      int64  `json:"up"` // bytes of contents
	Down    int64  `json:"down"`
	// Took counts the calls that move no contents by how long they took; Bounds are the upper
	// bounds.
	Took   []int64         `json:"-"`
	Bounds []time.Duration `json:"-"`
	// Down since a time, and why; zero = it answers, as far as is known.
	Away  time.Time `json:"away,omitzero"`
	Error string    `json:"error"`
}

// A Cache is a disk cache.
type Cache struct {
	Tree    string `json:"tree"`
	Dir     string `json:"dir"`
	Limit   int64  `json:"limit"` // a Limit of 0 is none
	Used    int64  `json:"used"`
	Free    int64  `json:"free"`    // of the disk; below 0 = unknown
	Waiting int64  `json:"waiting"` // bytes
	Refused int64  `json:"refused"`
	Copies  int64  `json:"copies"`
	Parts   int64  `json:"parts"`
}

// A Certificate is one that the server shows.
type Certificate struct {
	Name  string    `json:"name"`
	Until time.Time `json:"until,omitzero"`
}

// A Hook is a program or an address that is told of what happens, or is asked before it does.
type Hook struct {
	Name      string    `json:"name"`
	Target    string    `json:"target"`  // what is called; "" = there is no such hook any more
	Waiting   int       `json:"waiting"` // events
	Dead      int       `json:"dead"`    // events that are given up
	Delivered uint64    `json:"delivered"`
	Failed    uint64    `json:"failed"`  // calls
	Dropped   uint64    `json:"dropped"` // events
	Oldest    time.Time `json:"oldest,omitzero"`
	Stopped   bool      `json:"stopped"` // it wants no more events
	Error     string    `json:"error"`   // of the last call; "" = it was good

	Asked    bool   `json:"asked"` // it is asked; the others of these are of such a hook
	Answered uint64 `json:"answered"`
	Late     uint64 `json:"late"`   // of the next two, questions without an answer in time
	Open     uint64 `json:"open"`   // questions without an answer that were taken for a yes
	Closed   uint64 `json:"closed"` // and for a no
}

// A Feed tells of changes on a remote, and is not listened to.
type Feed struct {
	Name  string // without secrets
	Since time.Time
	Error string
}

// Ports are those for passive data connections.
type Ports struct {
	Used, Free int
}
