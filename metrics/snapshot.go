package metrics

import "time"

// A Snapshot is what is now.
type Snapshot struct {
	Clear, Secure  int // sessions, without and with TLS
	Up, Down, List int // transfers that run
	Bans           int
	Passive        Passive
	Buffers        int64 // bytes of memory that transfers use
	Trees          []Tree
	Quotas         []Quota
	Shared         *Shared // nil = no other node holds users to the same limits
	Certificates   []Certificate
	Hooks          []Hook
	Asked          []Asked
	Feeds          []Feed
	Cluster        *Cluster // nil: there are no other nodes
}

// Shared is what nodes hold clients to together.
type Shared struct {
	Users, Addresses  int    // sessions at other nodes, of those whose number is limited
	Leased            int64  // bytes of quotas that this node has leased
	Exchanges, Failed uint64 // about quotas, since the start; those that have failed are not among the others
}

// Passive are the ports for passive data connections.
type Passive struct {
	Used, Free int
	Failures   uint64 // since the start; requests for which there was no port
}

// A Tree is one that is open. Those of one type are shown together.
type Tree struct {
	ID   any // comparable; no two trees have the same
	Type string
	Up   bool // the remote answers

	Waiting, Failing, Refused int // pending changes, those whose last attempt failed, and refused files
	WaitingBytes              int64
	Oldest                    time.Duration // age of the oldest pending change; 0 = none waits

	Cached bool // there is a disk cache; the next three are of that
	Clean  int64
	Dirty  int64 // bytes that are not on the remote
	Free   int64 // bytes that may still be written

	Directories int // that are remembered
	Counts      Counts
}

// Counts of a Tree are since it was opened.
type Counts struct {
	Evictions        uint64 // of copies in the disk cache
	Hits, Misses     uint64 // reads of files that began with bytes on disk, and others
	Listed, Unlisted uint64 // questions that the remembered directories have answered, and others
	Changes          uint64 // by others, that the remote has reported
}

// A Quota is what a user has stored, and may store; a Limit of 0 is none.
type Quota struct {
	User        string
	Used, Limit int64
}

// A Certificate is one that the server shows.
type Certificate struct {
	Name    string
	Expires time.Time
}

// A Hook is one with deliveries that wait.
type Hook struct {
	Name    string
	Waiting int
}

// Cluster is how the program stands among other nodes.
type Cluster struct {
	Up      bool // the engine that nodes share is reached
	Heard   bool // what other nodes tell comes here
	Nodes   int  // that are there, this one among them
	Lag     time.Duration
	Waiting int // changes that are not told yet
	// Files that wait to be sent: at other nodes, here and told of, and too many for that.
	Elsewhere, Told, Untold int

	Sent     uint64 // messages
	Received uint64
	Gaps     uint64
}

// A Feed tells of changes. Those of one source are shown together.
type Feed struct {
	Source  string
	Up      bool
	Lag     time.Duration // of the last event
	Last    time.Time     // when that happened; zero = there was none
	Gaps    uint64        // times that something may have been missed
	Results map[string]uint64
}

// Asked is a hook that is asked before something is done, with the questions that it has not
// answered: Open those after which that was done all the same, Closed the others.
type Asked struct {
	Name         string
	Open, Closed Unanswered
}

// Unanswered are questions without an answer: Late within the time for it.
type Unanswered struct{ Late, Failed uint64 }
