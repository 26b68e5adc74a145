package defence

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"ferry/ftp"
)

// An AuthLog is a file with a line for each login, as vsftpd writes it, so that programs that know
// that one understand it.
type AuthLog struct {
	name string

	mu   sync.Mutex
	file *os.File // guarded by mu
}

// OpenAuthLog opens the file, or makes it.
func OpenAuthLog(name string) (*AuthLog, error) {
	l := &AuthLog{name: name}
	if err := l.Reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Reopen opens the file of that name again, after something has moved the old one away. When it
// cannot, the old one stays. It may be called on nil.
func (l *AuthLog) Reopen() error {
	if l == nil {
		return nil
	}
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("--auth-log: %w", err)
	}
	l.mu.Lock()
	old := l.file
	l.file = f
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return nil
}

// Name is what it was opened by.
func (l *AuthLog) Name() string { return l.name }

// Close closes the file. It may be called on nil.
func (l *AuthLog) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// note writes a line if e is a login, or the refusal of one. It may be called on nil.
func (l *AuthLog) note(addr netip.Addr, e ftp.GuardEvent, user string) {
	if l == nil {
		return
	}
	var line string
	switch e.Kind {
	case ftp.LoggedIn:
		line = fmt.Sprintf(`[%s] OK LOGIN: Client "%s"`, tame(user, "[]\""), addr)
	case ftp.UnknownUser, ftp.WrongPassword, ftp.LoginRefused, ftp.LoginHeldOff:
		line = fmt.Sprintf(`[%s] FAIL LOGIN: Client "%s", "%s"`, tame(user, "[]\""), addr, tame(e.Reason, "\""))
	default:
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// One write for a line: several processes may append to the file.
	fmt.Fprintf(l.file, "%s [pid %d] %s\n", time.Now().Format("Mon Jan _2 15:04:05 2006"), os.Getpid(), line)
}

// maxTame is how much of a text of a client is in a line.
const maxTame = 128

// tame returns text without what could be taken for another part of the line, or for another line.
func tame(text, forbidden string) string {
	if text == "" {
		return "-"
	}
	var b strings.Builder
	for _, r := range text {
		if b.Len() >= maxTame {
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(forbidden, r) {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}
