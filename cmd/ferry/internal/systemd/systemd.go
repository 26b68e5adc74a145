// Package systemd talks to the service manager that has started this process: it takes over the
// sockets that systemd listens on, and tells what the process does. Without systemd, and on other
// systems, there are no sockets and nobody is told.
package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A Manager is the service manager. nil is none.
type Manager struct {
	watchdog time.Duration // how long it waits for a sign of life; 0 = it does not
	log      *slog.Logger
}

// Find returns the service manager that waits for the readiness of this process, or nil.
func Find(log *slog.Logger) *Manager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of the service manager stays without a sign of life", "error", err)
	}
	return &Manager{watchdog, log}
}

// tell sends states. It is no reason to end if the manager does not get them.
func (m *Manager) tell(states string) {
	if m == nil {
		return
	}
	if _, err := daemon.SdNotify(false, states); err != nil {
		m.log.Warn("the service manager cannot be told what goes on", "error", err)
	}
}

// Ready says that the process serves.
func (m *Manager) Ready() { m.tell(daemon.SdNotifyReady) }

// Reloading says that files are read again; Ready ends that.
func (m *Manager) Reloading() {
	m.tell(daemon.SdNotifyReloading + "\n" + strings.TrimSpace(daemon.SdNotifyMonotonicUsec()))
}

const (
	tellEvery   = 10 * time.Second // how often the status is looked at, unless the watchdog wants more
	extendEvery = 5 * time.Second
	extendBy    = 4 * extendEvery
)

// Run tells the manager, until ctx ends, what status says whenever that is another text, and gives
// its watchdog a sign of life whenever health returns nil.
func (m *Manager) Run(ctx context.Context, health func() error, status func() string) {
	if m == nil {
		return
	}
	every := tellEvery
	if m.watchdog > 0 {
		every = min(every, m.watchdog/2)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	told, ill := status(), false
	m.tell("STATUS=" + told)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := health()
		switch {
		case err == nil && m.watchdog > 0:
			m.tell(daemon.SdNotifyWatchdog)
		case err != nil && !ill:
			m.log.ErrorContext(ctx, "the watchdog of the service manager gets no sign of life", "error", err)
		}
		ill = err != nil
		if now := status(); now != told {
			told = now
			m.tell("STATUS=" + now)
		}
	}
}

// Stopping says that the process ends, and asks for more time again and again until ctx ends, which
// its caller has bounded.
func (m *Manager) Stopping(ctx context.Context, status func() string) {
	if m == nil {
		return
	}
	m.tell(daemon.SdNotifyStopping)
	ticker := time.NewTicker(extendEvery)
	defer ticker.Stop()
	for {
		m.tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=%s", extendBy.Microseconds(), status()))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
