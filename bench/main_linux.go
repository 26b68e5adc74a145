package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// options are the command line.
type options struct {
	suites  string
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
	fl.StringVar(&o.suites, "suite", "", "suites to run, separated by commas: local (a local directory), s3 (an S3 server far away), scale and s3-scale (the same as work grows), watched (ferry with metrics, an audit log, a hook and its page open), crypt (that S3 server, encrypted) (default local,s3)")
	fl.BoolVar(&o.quick, "quick", false, "small sizes and one round: shows that everything runs, the figures mean little")
	fl.BoolVar(&o.fetch, "fetch", false, "download the Debian packages of peers that are not installed and unpack them under "+workDir+", and build those that are Go modules in the user's cache")
	fl.BoolVar(&o.strace, "strace", true, "count system calls per small file when strace is installed")
	fl.IntVar(&o.rounds, "rounds", 0, "rounds of each row, the median counts (default 3, 1 with -quick)")
	fl.StringVar(&o.servers, "servers", "", "names of the servers to run, separated by commas (default all)")
	fl.StringVar(&o.rows, "rows", "", "names of the rows to measure, separated by commas: "+strings.Join(namesOf(suites(), suite.workloadNames), " ")+" (default all)")
	fl.StringVar(&o.dir, "dir", "", "directory on the file system to serve from (default /dev/shm when it has room, else the system's temporary directory)")
	fl.StringVar(&o.ferry, "ferry", "", "ferry binary to measure (default: built from ./cmd/ferry)")
	fl.StringVar(&o.readme, "readme", "", "file whose table is replaced (default bench/README.md for a full run, none otherwise; - for none)")
	if err := fl.Parse(args); err != nil {
		return o, err
	}
	if fl.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fl.Arg(0))
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
	// The client's system calls block. With a processor for each session the runtime need not move
	// them about.
	runtime.GOMAXPROCS(16)

	all, err := chosen(o)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := runSuite(ctx, s, o, args); err != nil {
			return err
		}
	}
	return nil
}

// runSuite measures a suite, prints its table and writes it to the file that it is for.
func runSuite(ctx context.Context, s suite, o options, args []string) error {
	b := &bench{suite: s, opt: o, scale: s.full(), load: loadAverage(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if o.quick {
		b.scale = s.quick()
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
	shown, err := b.draw(ctx, res, o.readme)
	return errors.Join(err, replaceTable(o.readme, s.name, report+shown)) // a table without its picture is a table
}
