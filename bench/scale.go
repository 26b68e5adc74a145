package main

import "time"

// scale says how much work each row is.
type scale struct {
	rounds int

	bigBytes    int64 // size of the large file
	retrRepeats int   // downloads of it in one measurement
	storRepeats int
	tlsRepeats  int

	smallFiles int // files moved by sessions at once, smallBytes each
	smallBytes int
	sessions   int

	listFiles   int // entries of the large directory
	listRepeats int

	loginTime    time.Duration // how long sessions log in and quit
	idleSessions int

	straceFiles int
}

// full is the scale of the table in README.md.
func full() scale {
	return scale{
		rounds:   3,
		bigBytes: 1 << 30, retrRepeats: 4, storRepeats: 2, tlsRepeats: 1,
		smallFiles: 5000, smallBytes: 4096, sessions: 8,
		listFiles: 100_000, listRepeats: 3,
		loginTime: 2 * time.Second, idleSessions: 500,
		straceFiles: 200,
	}
}

// quick shows within about a minute that every server runs.
func quick() scale {
	return scale{
		rounds:   1,
		bigBytes: 128 << 20, retrRepeats: 2, storRepeats: 1, tlsRepeats: 1,
		smallFiles: 800, smallBytes: 4096, sessions: 8,
		listFiles: 10_000, listRepeats: 1,
		loginTime: 500 * time.Millisecond, idleSessions: 50,
		straceFiles: 50,
	}
}
