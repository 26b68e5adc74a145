package main

import "time"

// scale says how much work each row is.
type scale struct {
	rounds int

	bigBytes    int64 // size of the large file
	retrRepeats int   // downloads of it in one measurement
	storRepeats int
	tlsRepeats  int
	streams     int // sessions that move it at once, in rows of their own

	smallFiles int // files moved by sessions at once, smallBytes each
	smallBytes int
	sessions   int

	listFiles   int // entries of the large directory
	listRepeats int

	loginTime    time.Duration // how long sessions log in and quit
	users        int           // in the file of users
	hotUsers     int           // of them log in again and again
	idleSessions int

	activeSessions int           // in the middle of a transfer, all at once
	busySessions   int           // that send commands at once
	busyTime       time.Duration // how long they do
	fewFiles       int           // entries of the small directory

	straceFiles int

	most int // of the sessions or entries of a curve

	// Far away only.
	storBytes     int64 // of the large file that are uploaded
	restAt        int64 // where a download of the large file begins
	restTake      int64 // and how much of it the client takes
	cachedRepeats int   // downloads of it from the cache
	headFiles     int   // entries of a directory that is small enough to be asked for one by one
}

// localFull is the scale of the table in README.md.
func localFull() scale {
	return scale{
		rounds:   3,
		bigBytes: 1 << 30, retrRepeats: 4, storRepeats: 2, tlsRepeats: 1, streams: 4,
		smallFiles: 5000, smallBytes: 4096, sessions: 8,
		listFiles: 100_000, listRepeats: 3,
		loginTime: 2 * time.Second, users: 10_000, hotUsers: 64, idleSessions: 500,
		activeSessions: 200, busySessions: 200, busyTime: 5 * time.Second, fewFiles: 100,
		straceFiles: 200,
	}
}

// localQuick shows within about a minute that every server runs.
func localQuick() scale {
	return scale{
		rounds:   1,
		bigBytes: 128 << 20, retrRepeats: 2, storRepeats: 1, tlsRepeats: 1, streams: 4,
		smallFiles: 800, smallBytes: 4096, sessions: 8,
		listFiles: 10_000, listRepeats: 1,
		loginTime: 500 * time.Millisecond, users: 500, hotUsers: 8, idleSessions: 50,
		activeSessions: 20, busySessions: 20, busyTime: 2 * time.Second, fewFiles: 100,
		straceFiles: 50,
	}
}

// farFull is the scale of the second table.
func farFull() scale {
	return scale{
		rounds:   3,
		bigBytes: 512 << 20, storBytes: 256 << 20, retrRepeats: 1, storRepeats: 1,
		smallFiles: 500, smallBytes: 16 << 10, sessions: 8,
		listFiles: 20_000, listRepeats: 1, headFiles: 250,
		restAt: 400 << 20, restTake: 1 << 20, cachedRepeats: 4,
	}
}

func farQuick() scale {
	return scale{
		rounds:   1,
		bigBytes: 96 << 20, storBytes: 48 << 20, retrRepeats: 1, storRepeats: 1,
		smallFiles: 64, smallBytes: 16 << 10, sessions: 8,
		listFiles: 3000, listRepeats: 1, headFiles: 20,
		restAt: 50 << 20, restTake: 1 << 20, cachedRepeats: 1,
	}
}

// curveFull is the scale of the curves over a local directory.
func curveFull() scale {
	s := localFull()
	s.rounds, s.most = 1, 1_000_000
	s.listFiles = 0
	return s
}

func curveQuick() scale {
	s := localQuick()
	s.most, s.listFiles = 1000, 0
	return s
}

// phantomFull is that of the curves over a bucket that is made up.
func phantomFull() scale {
	return scale{rounds: 1, most: 1_000_000, bigBytes: 1 << 30, smallBytes: 4096, sessions: 8}
}

func phantomQuick() scale {
	return scale{rounds: 1, most: 1000, bigBytes: 64 << 20, smallBytes: 4096, sessions: 8}
}
