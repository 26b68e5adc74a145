package ui

import (
	"cmp"
	"slices"
	"time"
)

// PageRows is how many rows of a list a Snapshot has; the others are asked for.
const PageRows = 100

// A Snapshot is what the page shows of a moment.
type Snapshot struct {
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"`
	Server  Server    `json:"server"`
	Trouble []Trouble `json:"trouble"` // what is wrong, the worst first
	Traffic Traffic   `json:"traffic"`
	Queue   Queue     `json:"queue"`

	Transfers List[Transfer] `json:"transfers"`
	Waiting   List[Waiting]  `json:"waiting"`
	Refused   List[Refused]  `json:"refused"`
	Sessions  List[Session]  `json:"sessions"`
	Ended     List[Ended]    `json:"ended"`
	Logins    List[Login]    `json:"logins"`
	Failed    List[Failed]   `json:"failed"`
	Bans      List[Ban]      `json:"bans"`
	Users     List[User]     `json:"users"`
	Remotes   List[Health]   `json:"remotes"`
	Caches    List[Cache]    `json:"caches"`
	Hooks     List[Hook]     `json:"hooks"`
}

// A List is a part of a list.
type List[T any] struct {
	Total int `json:"total"`
	First int `json:"first"` // where Rows begins in it
	Rows  []T `json:"rows"`
}

// listOf returns up to PageRows rows from first on.
func listOf[T any](all []T, first int) List[T] {
	first = max(min(first, len(all)-1), 0)
	first -= first % PageRows
	return List[T]{len(all), first, append([]T{}, all[first:min(first+PageRows, len(all))]...)}
}

// Traffic is the throughput in bytes per second.
type Traffic struct {
	In      float64 `json:"in"` // of the last seconds
	Out     float64 `json:"out"`
	Hour    Picture `json:"hour"`
	Day     Picture `json:"day"`
	Running int     `json:"running"` // transfers
}

// A Transfer is one that runs.
type Transfer struct {
	ID      uint64    `json:"id"` // of the session
	User    string    `json:"user"`
	Command string    `json:"command"`
	Path    string    `json:"path"`
	Began   time.Time `json:"began"`
	Bytes   int64     `json:"bytes"`
	Size    int64     `json:"size"`           // below 0 = unknown
	Rate    float64   `json:"rate"`           // bytes per second, of the last seconds
	Left    float64   `json:"left,omitempty"` // seconds; 0 = unknown
}

// Health is how a remote does.
type Health struct {
	Remote
	Median  float64 `json:"median"` // seconds that calls took lately, half of them less; 0 = there were none
	Slowest float64 `json:"p99"`    // 99 of 100 took less
}

// snapshot makes the Snapshot of a state.
//
// LOCKS_REQUIRED(p.mu)
func (p *Page) snapshot(now time.Time, st *State) *Snapshot {
	transfers := p.transfers(now, st.Sessions)
	recent := p.opt.Recent.copy()
	s := &Snapshot{
		Time: now, Server: st.Server, Trouble: p.trouble(now, st), Queue: queueOf(st.Waiting),
		Transfers: listOf(transfers, 0), Waiting: listOf(st.Waiting, 0), Refused: listOf(st.Refused, 0),
		Sessions: listOf(st.Sessions, 0), Bans: listOf(st.Bans, 0), Users: listOf(st.Users, 0),
		Remotes: listOf(p.health(now, st.Remotes), 0), Caches: listOf(st.Caches, 0), Hooks: listOf(st.Hooks, 0),
		Ended: listOf(recent.ended, 0), Logins: listOf(recent.logins, 0), Failed: listOf(recent.failed, 0),
	}
	s.Traffic = p.history.traffic()
	s.Traffic.Running = len(transfers)
	return s
}

// rows returns a part of a list of the state.
func (f *frame) rows(list string, first int, rates *rates) (any, bool) {
	switch st := &f.state; list {
	case "transfers":
		return listOf(rates.transfers(st.Sessions), first), true
	case "waiting":
		return listOf(st.Waiting, first), true
	case "refused":
		return listOf(st.Refused, first), true
	case "sessions":
		return listOf(st.Sessions, first), true
	case "bans":
		return listOf(st.Bans, first), true
	case "users":
		return listOf(st.Users, first), true
	}
	return nil, false
}

// transfers returns the running ones, those that have run longest first.
//
// LOCKS_REQUIRED(p.mu)
func (p *Page) transfers(now time.Time, sessions []Session) []Transfer {
	p.rates.note(now, sessions)
	return p.rates.transfers(sessions)
}

// transfers returns those of sessions, those that have run longest first.
func (r *rates) transfers(sessions []Session) []Transfer {
	var all []Transfer
	for i := range sessions {
		s := &sessions[i]
		if s.Command == "" {
			continue
		}
		t := Transfer{ID: s.ID, User: s.User, Command: s.Command, Path: s.Path, Began: s.Began, Bytes: s.Bytes, Size: s.Size}
		t.Rate = r.of(s)
		if left := t.Size - t.Bytes; t.Size >= 0 && left > 0 && t.Rate > 0 {
			t.Left = float64(left) / t.Rate
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Transfer) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID)) })
	return all
}

// health returns how the remotes do.
//
// LOCKS_REQUIRED(p.mu)
func (p *Page) health(now time.Time, remotes []Remote) []Health {
	var all []Health
	for _, r := range remotes {
		median, slowest := p.delays.of(now, r)
		all = append(all, Health{Remote: r, Median: median.Seconds(), Slowest: slowest.Seconds()})
	}
	return all
}
