package flags

import "time"

// MetricsOptions say what others can watch.
type MetricsOptions struct {
	Addrs     []string
	Users     bool          // with names
	QueueLate time.Duration // 0 = never
}

// Metrics returns the flags about metrics and health.
func Metrics(o *Options) Group {
	return Group{"Metrics", []Flag{
		{"metrics-addr", "", addrs(&o.Metrics.Addrs), "Address for Prometheus (/metrics) and health checks (/livez, /readyz), without a password, such as localhost:9721. May be repeated. /metrics of --rc has the password of the remote control"},
		{"metrics-users", "false", toggle(&o.Metrics.Users), "Have metrics of what users with a quota have stored, by their names, at most 1,000"},
		{"queue-late", "15m", limit(&o.Metrics.QueueLate), "Age from which the oldest change that waits for the remote is too old: /readyz says so, and hooks are told; off is never"},
	}}
}
