package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// options are the command line.
type options struct {
	quick   bool
	fetch   bool
	strace  bool
	rounds  int
	servers string
	rows    string
	dir     string
	ferry   string
	readme  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// parse reads the command line.
func parse(args []string) (options, error) {
	var o options
	fl := flag.NewFlagSet("bench", flag.ContinueOnError)
	fl.BoolVar(&o.quick, "quick", false, "small sizes and one round: shows that everything runs, the figures mean little")
	fl.BoolVar(&o.fetch, "fetch", false, "download the Debian packages of peers that are not installed and unpack them under "+workDir)
	fl.BoolVar(&o.strace, "strace", true, "count system calls per small file when strace is installed")
	fl.IntVar(&o.rounds, "rounds", 0, "rounds of each row, the median counts (default 3, 1 with -quick)")
	fl.StringVar(&o.servers, "servers", "", "names of the servers to run, separated by commas (default all)")
	fl.StringVar(&o.rows, "rows", "", "names of the rows to measure, separated by commas: "+strings.Join(workloadNames(), " ")+" (default all)")
	fl.StringVar(&o.dir, "dir", "", "directory on the file system to serve from (default /dev/shm when it has room, else the system's temporary directory)")
	fl.StringVar(&o.ferry, "ferry", "", "ferry binary to measure (default: built from ./cmd/ferry)")
	fl.StringVar(&o.readme, "readme", "", "file whose table is replaced (default bench/README.md for a full run, none otherwise; - for none)")
	if err := fl.Parse(args); err != nil {
		return o, err
	}
	if fl.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fl.Arg(0))
	}
	for _, name := range list(o.rows) {
		if !slices.Contains(workloadNames(), name) {
			return o, fmt.Errorf("-rows: no row %q; there are %s", name, strings.Join(workloadNames(), ", "))
		}
	}
	for _, name := range list(o.servers) {
		if !slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == name }) {
			return o, fmt.Errorf("-servers: no server %q", name)
		}
	}
	if o.readme == "" && !o.quick && o.rows == "" && o.servers == "" {
		o.readme = "bench/README.md"
	}
	if o.readme == "-" {
		o.readme = ""
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if mod, err := os.ReadFile("go.mod"); err != nil || !strings.HasPrefix(string(mod), "module ferry\n") {
		return fmt.Errorf("run it from the top of the ferry tree: go run ./bench")
	}
	// The client's system calls block. With a processor for each session the runtime need not move them about.
	runtime.GOMAXPROCS(16)

	b := &bench{opt: o, scale: full(), load: loadAverage(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if o.quick {
		b.scale = quick()
	}
	if o.rounds > 0 {
		b.scale.rounds = o.rounds
	}
	defer b.close()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	res, err := b.measure(ctx)
	if err != nil {
		return err
	}
	report := b.report(args, res)
	fmt.Print(report)
	if o.readme == "" {
		return nil
	}
	return replaceTable(o.readme, report)
}

// list splits a comma separated flag; "" is the empty list.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
