package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"ferry/cmd/ferry/internal/logging"
)

// onTerminal reports whether a person watches the log on a terminal and has not said how much of it
// there shall be.
func (p process) onTerminal(o *options) bool {
	l := &o.Log
	return p.terminalLog && l.File == "" && l.Format == "text" && !l.JSON && !l.Systemd &&
		l.Verbose == 0 && !l.Quiet && !o.Given("log-level")
}

// sessionLog returns the log for logins and transfers: on a terminal they are shown without having
// been asked for.
func (p process) sessionLog(o *options, log *slog.Logger) *slog.Logger {
	if !p.onTerminal(o) {
		return log
	}
	return logging.AtLeast(log, slog.LevelInfo)
}

// A banner is what somebody who has started ferry by hand wants to know.
type banner struct {
	listeners []listener
	what      string
	cache     string // "" = none
	page      string // address of the page; "" = none
}

// write tells it all in one piece.
func (b banner) write(w io.Writer, o *options) {
	var text strings.Builder
	line := func(key, value string) { fmt.Fprintf(&text, "  %-10s%s\n", key, value) }
	text.WriteString("\n")
	for i, u := range b.urls(o) {
		line([]string{"Open", ""}[min(i, 1)], u)
	}
	line("User", strings.Map(printable, o.User))
	password := "any"
	if o.Pass != "" {
		password = "as --pass says"
	}
	line("Password", password)
	rights := "read and write"
	if o.IsReadOnly() {
		rights = "read only"
	}
	line("Serves", strings.Map(printable, b.what)+" ("+rights+")")
	if b.cache == "" {
		line("Cache", "none")
	} else {
		line("Cache", b.cache+" (--vfs-cache-mode "+fmt.Sprint(o.Cache.Mode)+")")
	}
	if b.page != "" {
		line("Page", b.page)
	}
	line("Stop", "Ctrl-C")
	text.WriteString("\n")
	_, _ = io.WriteString(w, text.String()) // a terminal that has gone takes no log either
}

// printable keeps what the banner shows from moving the cursor.
func printable(r rune) rune {
	if logging.Unprintable(r) {
		return '?'
	}
	return r
}

// urls are the addresses to click, each once: localhost for the loopback ones.
func (b banner) urls(o *options) []string {
	var urls []string
	for _, l := range b.listeners {
		scheme, usual := "ftp", "21"
		if l.implicitTLS {
			scheme, usual = "ftps", "990"
		}
		for _, a := range l.reached() {
			host, port, err := net.SplitHostPort(a)
			if err != nil {
				continue
			}
			if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
				host = "localhost"
			}
			u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: "/"}
			if port == usual {
				u.Host = strings.TrimSuffix(u.Host, ":"+port)
			}
			if o.User != "anonymous" {
				u.User = url.User(o.User)
			}
			if text := u.String(); !slices.Contains(urls, text) {
				urls = append(urls, text)
			}
		}
	}
	return urls
}

// maxReached is how many addresses of a machine are told: one with hundreds of bridges has none to
// type.
const maxReached = 8

// reached returns the addresses with ports that clients connect to: those of this machine, where l
// is on all of them.
func (l listener) reached() []string {
	own, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil || !own.Addr().IsUnspecified() {
		return []string{l.Addr().String()}
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var four, six []string
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		ip = ip.Unmap()
		switch {
		case !ok || ip.IsLoopback() || ip.IsLinkLocalUnicast():
		case ip.Is4():
			four = append(four, netip.AddrPortFrom(ip, own.Port()).String())
		case own.Addr().Is6():
			six = append(six, netip.AddrPortFrom(ip, own.Port()).String())
		}
	}
	all := append(four, six...)
	return all[:min(len(all), maxReached)]
}
