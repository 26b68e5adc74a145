package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// localWorkloads lists those on a local directory in the order of the table's rows.
func localWorkloads() []workload {
	return []workload{
		{name: "retr", title: retrTitle, metrics: bulkMetrics(), run: retrBig},
		{name: "stor", title: storTitle, metrics: bulkMetrics(), run: storBig},
		{name: "retr4", title: streams(retrTitle), metrics: bulkMetrics(), run: retrStreams},
		{name: "stor4", title: streams(storTitle), metrics: bulkMetrics(), run: storStreams},
		{name: "up", title: func(s scale) string { return smallTitle(s) + " up" }, metrics: smallMetrics(), run: smallUp},
		{name: "down", title: func(s scale) string { return smallTitle(s) + " down" }, metrics: smallMetrics(), run: smallDown},
		{name: "list", title: listTitle("LIST"), metrics: listMetrics(), run: listing("LIST")},
		{name: "mlsd", title: listTitle("MLSD"), metrics: listMetrics(), run: listing("MLSD")},
		{name: "login", title: func(s scale) string { return fmt.Sprintf("logins, %d at a time", s.sessions) }, metrics: loginMetrics(), run: logins},
		{name: "idle", title: func(s scale) string { return fmt.Sprintf("%d idle sessions", s.idleSessions) }, metrics: idleMetrics(), run: idle},
		{name: "hashed", title: hashedTitle, metrics: loginMetrics(), run: hashedLogins, only: usersFiles, users: true, needs: writeUsers},
		{name: "hashed-each", title: func(s scale) string { return hashedTitle(s) + ", each hashed (`--auth-cache 0`)" }, metrics: loginMetrics(), run: hashedLogins, only: usersFiles, users: true, needs: writeUsers,
			flags: func(*bench, string) []string { return []string{"--auth-cache", "0"} }},
		{name: "active-retr", title: func(s scale) string { return fmt.Sprintf("%d downloads at once, of slow clients", s.activeSessions) }, metrics: idleMetrics(), run: activeDown},
		{name: "active-stor", title: func(s scale) string { return fmt.Sprintf("%d uploads at once, of slow clients", s.activeSessions) }, metrics: idleMetrics(), run: activeUp},
		{name: "busy", title: busyTitle, metrics: busyMetrics(), run: busy},
		{name: "tls-retr", title: overTLS(retrTitle), secure: true, only: explicitTLS, metrics: bulkMetrics(), run: retrTLS},
		{name: "tls-stor", title: overTLS(storTitle), secure: true, only: explicitTLS, metrics: bulkMetrics(), run: storTLS},
		{name: "tls-retr4", title: overTLS(streams(retrTitle)), secure: true, only: explicitTLS, metrics: bulkMetrics(), run: retrStreamsTLS},
		{name: "tls-up", title: overTLS(func(s scale) string { return smallTitle(s) + " up" }), secure: true, only: explicitTLS, metrics: smallMetrics(), run: smallUp},
	}
}

// explicitTLS are the servers that turn TLS on when they are asked to (RFC 4217); rclone has it
// from the first byte, or not.
var explicitTLS = []string{"ferry", "vsftpd", "pure-ftpd", "proftpd", "pyftpdlib", "ftpserverlib"}

func retrBig(b *bench, in *instance) ([]float64, error) {
	return bulk(b, in, load{1, b.scale.retrRepeats, b.download})
}

func retrStreams(b *bench, in *instance) ([]float64, error) {
	return bulk(b, in, load{b.scale.streams, max(b.scale.retrRepeats/2, 1), b.download})
}

func retrTLS(b *bench, in *instance) ([]float64, error) {
	return bulk(b, in, load{1, b.scale.tlsRepeats, b.download})
}

func retrStreamsTLS(b *bench, in *instance) ([]float64, error) {
	return bulk(b, in, load{b.scale.streams, b.scale.tlsRepeats, b.download})
}

func (b *bench) download(c *client, _ int) error { return c.retr("big", b.scale.bigBytes) }

func storBig(b *bench, in *instance) ([]float64, error) { return bulkUp(b, in, 1, b.scale.storRepeats) }

func storStreams(b *bench, in *instance) ([]float64, error) {
	return bulkUp(b, in, b.scale.streams, max(b.scale.storRepeats/2, 1))
}

func storTLS(b *bench, in *instance) ([]float64, error) { return bulkUp(b, in, 1, b.scale.tlsRepeats) }

func bulkUp(b *bench, in *instance, streams, repeats int) ([]float64, error) {
	f, err := os.Open(filepath.Join(b.root, "big"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Each has a name of its own: a server may remember what was removed behind its back.
	var names atomic.Int64
	return bulk(b, in, load{streams, repeats, func(c *client, _ int) error {
		return c.storFile(fmt.Sprintf("up/big-%d", names.Add(1)), f, b.scale.bigBytes)
	}})
}

// A load is how bulk moves the large file: by some sessions at once, several times in each.
type load struct {
	streams, repeats int
	one              func(c *client, stream int) error
}

// bulk measures transfers of the large file. What they leave behind is removed between them,
// outside the measured time.
func bulk(b *bench, in *instance, l load) ([]float64, error) {
	clients := make([]*client, l.streams)
	for i := range clients {
		c, err := in.session()
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		if err := c.retr(smallName(0), int64(b.scale.smallBytes)); err != nil {
			return nil, err
		}
		clients[i] = c
	}
	var took, cpu time.Duration
	for range l.repeats {
		u, err := timed(in, func() error {
			return each(l.streams, func(i int) error { return l.one(clients[i], i) })
		})
		if err != nil {
			return nil, err
		}
		took, cpu = took+u.took, cpu+u.cpu
		if err := b.checkUploads(b.scale.bigBytes); err != nil {
			return nil, err
		}
		if err := b.clearUploads(); err != nil {
			return nil, err
		}
	}
	bytes := float64(b.scale.bigBytes) * float64(l.repeats*l.streams)
	return []float64{cpu.Seconds() / (bytes / (1 << 30)), bytes / 1e9 / took.Seconds()}, nil
}
