package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Trouble is something that is wrong, or soon will be.
type Trouble struct {
	Bad   bool      `json:"bad"` // it is wrong already
	Text  string    `json:"text"`
	Since time.Time `json:"since,omitzero"`
	Panel string    `json:"panel"` // where the page shows more of it
}

const (
	// certificateSoon is when the end of a certificate is near.
	certificateSoon = 14 * 24 * time.Hour
	// diskLow is what a disk should have free at least.
	diskLow = 512 << 20
	// nearlyFull is the share of a limit that is worth a look.
	nearlyFull = 0.9
	// manyUsers is of how many users with little room left each is named.
	manyUsers = 5
)

// trouble returns what is wrong, the worst first.
//
// LOCKS_REQUIRED(p.mu)
func (p *Page) trouble(now time.Time, st *State) []Trouble {
	all := []Trouble{}
	all = append(all, remoteTrouble(st.Remotes)...)
	for _, c := range st.Causes {
		all = append(all, Trouble{true, fmt.Sprintf("%s late: %s", counts(c.Changes, "upload is", "uploads are"), c.Text), c.Since, "waiting"})
	}
	if n := len(st.Refused); n > 0 {
		all = append(all, Trouble{true, counts(n, "file was", "files were") + " refused by the remote for good", st.Refused[0].Since, "refused"})
	}
	if q := queueOf(st.Waiting); q.Changes > 0 && now.Sub(q.Oldest) > p.opt.QueueLate {
		all = append(all, Trouble{true, "the queue is " + written(now.Sub(q.Oldest)) + " behind", q.Oldest.Add(p.opt.QueueLate), "waiting"})
	}
	all = append(all, cacheTrouble(st.Caches)...)
	if text := st.Server.Alone; text != "" {
		all = append(all, Trouble{true, "NATS (--cluster) is not reached, this node goes on by itself: " + text, time.Time{}, ""})
	}
	if text := st.Server.Twin; text != "" {
		all = append(all, Trouble{true, "another ferry (" + text + ") has the name of this node too: give each its own by --node", time.Time{}, ""})
	}
	for _, f := range st.Feeds {
		all = append(all, Trouble{true, "the change feed " + f.Name + " is not listened to, listings may be 5 minutes old: " + f.Error, f.Since, ""})
	}
	for _, c := range st.Certificates {
		switch left := c.Until.Sub(now); {
		case left <= 0:
			all = append(all, Trouble{true, "the certificate of " + c.Name + " has ended", c.Until, ""})
		case left < certificateSoon:
			all = append(all, Trouble{false, "the certificate of " + c.Name + " ends in " + written(left), time.Time{}, ""})
		}
	}
	all = append(all, portTrouble(st.Ports)...)
	all = append(all, hookTrouble(st.Hooks)...)
	all = append(all, userTrouble(st.Users)...)
	if st.Server.Stopping {
		all = append(all, Trouble{false, "the server is stopping: it takes no new sessions", time.Time{}, "sessions"})
	}
	if text := st.Server.Drained; text != "" && !st.Server.Stopping {
		all = append(all, Trouble{false, "the server is out of service: " + text, time.Time{}, "sessions"})
	}
	slices.SortStableFunc(all, func(a, b Trouble) int {
		switch {
		case a.Bad == b.Bad:
			return 0
		case a.Bad:
			return -1
		}
		return 1
	})
	return all
}

func remoteTrouble(remotes []Remote) []Trouble {
	var all []Trouble
	for _, r := range remotes {
		if !r.Away.IsZero() {
			text := "the remote " + r.Tree + " cannot be reached"
			if r.Error != "" {
				text += ": " + r.Error
			}
			all = append(all, Trouble{true, text, r.Away, "remotes"})
		}
	}
	return all
}

func cacheTrouble(caches []Cache) []Trouble {
	var all []Trouble
	disks := map[int64]bool{} // caches on one disk have the same amount free
	for _, c := range caches {
		held := c.Waiting + c.Refused
		if c.Limit > 0 && float64(held) >= nearlyFull*float64(c.Limit) {
			all = append(all, Trouble{true, fmt.Sprintf("the cache is full with what the remote does not have: %d %% of --vfs-cache-max-size", held*100/c.Limit), time.Time{}, "caches"})
		}
		if c.Free >= 0 && c.Free < diskLow && !disks[c.Free] {
			disks[c.Free] = true
			all = append(all, Trouble{true, fmt.Sprintf("the disk of the cache has only %d MiB free", c.Free>>20), time.Time{}, "caches"})
		}
	}
	return all
}

// portTrouble is that of passive ports, which run out when more clients transfer than there are.
func portTrouble(p Ports) []Trouble {
	total := p.Used + p.Free
	switch {
	case p.Used == 0 || float64(p.Used) < nearlyFull*float64(total):
		return nil
	case p.Free == 0:
		return []Trouble{{true, fmt.Sprintf("all %d passive ports are in use: clients may be refused data connections; widen --passive-port", total), time.Time{}, "sessions"}}
	}
	return []Trouble{{false, fmt.Sprintf("%d of %d passive ports are in use: widen --passive-port before they run out", p.Used, total), time.Time{}, "sessions"}}
}

func hookTrouble(hooks []Hook) []Trouble {
	var all []Trouble
	for _, h := range hooks {
		if h.Asked {
			all = append(all, askedTrouble(h)...)
			continue
		}
		waiting, dead := counts(h.Waiting, "event waits", "events wait"), counts(h.Dead, "event", "events")
		given := "which are given up"
		if h.Dead == 1 {
			given = "which is given up"
		}
		cause := ""
		if h.Error != "" {
			cause = ": " + h.Error
		}
		switch {
		case h.Stopped && h.Dead > 0:
			all = append(all, Trouble{true, fmt.Sprintf("the hook %s wants no more events (410), and was not told of %s, %s", h.Name, dead, given), time.Time{}, "hooks"})
			continue
		case h.Dead > 0:
			all = append(all, Trouble{true, fmt.Sprintf("the hook %s was not told of %s, %s%s", h.Name, dead, given, cause), time.Time{}, "hooks"})
		}
		switch {
		case h.Waiting == 0:
		case h.Target == "":
			all = append(all, Trouble{false, fmt.Sprintf("%s for the hook %s, which is not there any more", waiting, h.Name), h.Oldest, "hooks"})
		case h.Error != "":
			all = append(all, Trouble{true, fmt.Sprintf("the hook %s cannot be told, %s for it%s", h.Name, waiting, cause), h.Oldest, "hooks"})
		}
	}
	return all
}

// askedTrouble is that of a hook that is asked, until it answers.
func askedTrouble(h Hook) []Trouble {
	if h.Error == "" || h.Open+h.Closed == 0 {
		return nil
	}
	text := fmt.Sprintf("the hook %s does not answer: %s without an answer, %d of them late; %d taken for yes, %d for no: %s",
		h.Name, counts(int(h.Open+h.Closed), "question", "questions"), h.Late, h.Open, h.Closed, h.Error)
	return []Trouble{{true, text, time.Time{}, "hooks"}}
}

func userTrouble(users []User) []Trouble {
	var full []string
	for _, u := range users {
		if u.Counted && (over(u.Bytes, u.MaxBytes) || over(u.Files, u.MaxFiles)) {
			full = append(full, u.Name)
		}
	}
	switch {
	case len(full) == 0:
		return nil
	case len(full) > manyUsers:
		return []Trouble{{false, fmt.Sprintf("%d users have used 90 %% of their quota", len(full)), time.Time{}, "users"}}
	}
	return []Trouble{{false, "90 % of the quota is used by " + strings.Join(full, ", "), time.Time{}, "users"}}
}

func over(used, limit int64) bool { return limit > 0 && float64(used) >= nearlyFull*float64(limit) }

// counts writes a number with what it counts.
func counts(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// written writes a time for people, with its largest unit.
func written(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return counts(int(d/(24*time.Hour)), "day", "days")
	case d >= 2*time.Hour:
		return counts(int(d/time.Hour), "hour", "hours")
	case d >= 2*time.Minute:
		return counts(int(d/time.Minute), "minute", "minutes")
	}
	return counts(int(d/time.Second), "second", "seconds")
}
