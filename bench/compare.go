package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// workload is what every client does.
type workload struct {
	name        string
	objects     int
	delay       time.Duration
	inFlight    int
	isUnchanged bool // the destination has everything; syncd has its ledger
}

func workloads(scale float64) []workload {
	n := func(objects int) int { return max(1000, int(scale*float64(objects))) }
	return []workload{
		{"small objects, responses at once", n(50_000), 0, 256, false},
		{"small objects, responses after 30 ms", n(50_000), 30 * time.Millisecond, 256, false},
		{"unchanged", n(200_000), 0, 256, true},
		{"unchanged", n(1_000_000), 0, 256, true},
	}
}

// measured is one run of one client.
type measured struct {
	cpu, wall time.Duration
	memory    int64 // peak resident memory in bytes
	requests  map[string]int64
}

// paths are the programs to compare, by name: --peer name=path.
type paths map[string]string

func (p paths) String() string { return fmt.Sprint(map[string]string(p)) }

func (p paths) Set(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=PATH")
	}
	p[name] = path
	return nil
}

// compare runs every client with every workload, in turn, and prints a table for each workload.
func compare(args []string) error {
	programs := paths{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Var(programs, "peer", "`NAME=PATH` of a client: syncd, syncd-before, rclone, aws, s5cmd, mc; may be repeated")
	count := flags.Int("rounds", 3, "runs of each client")
	scale := flags.Float64("scale", 1, "factor for the number of objects")
	only := flags.String("only", "", "run only workloads whose name contains this")
	if err := flags.Parse(args); err != nil {
		return err
	}
	all, err := clients(programs)
	if err != nil {
		return err
	}
	for _, missing := range []string{"mc", "s5cmd"} {
		if programs[missing] == "" {
			fmt.Printf("Without %s: this run claims nothing about the best peer.\n", missing)
		}
	}
	for _, w := range workloads(*scale) {
		if !strings.Contains(w.name, *only) {
			continue
		}
		runs, err := rounds(w, all, *count)
		if err != nil {
			return err
		}
		table(os.Stdout, w, all, runs)
	}
	return nil
}

// rounds runs every client in turn, several times.
func rounds(w workload, all []client, count int) (runs map[string][]measured, err error) {
	runs = map[string][]measured{}
	sites := map[string]*site{}
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close())
		}
	}()
	for range count {
		for _, c := range all {
			s := sites[c.name]
			if s == nil || !w.isUnchanged {
				if s != nil {
					err = s.close()
				}
				if s, err = open(c, w); err != nil {
					return nil, fmt.Errorf("%s, %s: %w", w.name, c.name, err)
				}
				sites[c.name] = s
			}
			m, err := measure(c, s, w)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", w.name, c.name, err)
			}
			runs[c.name] = append(runs[c.name], m)
		}
	}
	return runs, nil
}

// site is a server and a directory for a client.
type site struct {
	endpoint, dir string
	stop          func()
}

func (s *site) close() error {
	s.stop()
	return os.RemoveAll(s.dir)
}

// open starts a server on another core than the clients use. For a workload without changes, syncd copies
// everything once, because it needs its ledger; for the other clients the destination has everything.
func open(c client, w workload) (*site, error) {
	needsLedger := w.isUnchanged && strings.HasPrefix(c.name, "syncd")
	ctx, stop := context.WithCancel(context.Background())
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		stop()
		return nil, err
	}
	s := &site{dir: dir, stop: stop}
	if s.endpoint, err = startServer(ctx, w, w.isUnchanged && !needsLedger); err == nil && needsLedger {
		_, err = measure(c, s, w)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// startServer starts a server that ends with ctx.
func startServer(ctx context.Context, w workload, isCopied bool) (endpoint string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	args := []string{"-c", "1", self, "serve", "--objects", fmt.Sprint(w.objects), "--delay", w.delay.String(), fmt.Sprintf("--copied=%t", isCopied)}
	server := exec.CommandContext(ctx, "taskset", args...)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	go func() { _ = server.Wait() }() // killed when ctx ends
	line, err := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line), err
}

// measure runs a client and returns what it cost.
func measure(c client, s *site, w workload) (m measured, err error) {
	args, env, err := c.command(s.dir, s.endpoint, w)
	if err != nil {
		return m, err
	}
	if _, err := counts(s.endpoint); err != nil {
		return m, err
	}
	run := exec.Command("taskset", append([]string{"-c", "0"}, args...)...)
	run.Env = env
	var said strings.Builder
	run.Stdout, run.Stderr = &said, &said
	began := time.Now()
	if err := run.Run(); err != nil {
		return m, fmt.Errorf("%w: %s", err, tail(said.String()))
	}
	m.wall = time.Since(began)
	m.cpu = run.ProcessState.UserTime() + run.ProcessState.SystemTime()
	if usage, ok := run.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.memory = usage.Maxrss << 10
	}
	if m.requests, err = counts(s.endpoint); err != nil {
		return m, err
	}
	return m, m.check(c, w)
}

// check returns an error if a client did not do the work.
func (m measured) check(c client, w workload) error {
	copies, want := m.requests["CopyObject"], int64(w.objects)
	if w.isUnchanged {
		want = 0
	}
	if m.requests["ListObjectsV2"] == 0 || copies != want && !(w.isUnchanged && strings.HasPrefix(c.name, "syncd")) {
		return fmt.Errorf("%s did other work: %d copies, want %d; %s", c.name, copies, want, requests(m.requests))
	}
	return nil
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// counts returns the requests since the last call.
func counts(endpoint string) (all map[string]int64, err error) {
	response, err := http.Get(endpoint + "/counts/")
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(body, &all)
}

// table prints the medians of the runs, and their ratio to the floor.
func table(w io.Writer, of workload, all []client, runs map[string][]measured) {
	perObject := func(m measured) float64 { return float64(m.cpu.Microseconds()) / float64(of.objects) }
	perSecond := func(m measured) float64 { return float64(of.objects) / m.wall.Seconds() }
	_, _ = fmt.Fprintf(w, "\n%s: %d objects, %d in flight, median of %d\n\n", of.name, of.objects, of.inFlight, len(runs[all[0].name]))
	_, _ = fmt.Fprintf(w, "| client | CPU, µs an object | spread | ratio to the floor | objects a second | share of the floor | memory, MiB | requests |\n|---|---|---|---|---|---|---|---|\n")
	floorCPU, floorRate := median(runs["floor"], perObject), median(runs["floor"], perSecond)
	for _, c := range all {
		cpu, rate := median(runs[c.name], perObject), median(runs[c.name], perSecond)
		memory := median(runs[c.name], func(m measured) float64 { return float64(m.memory) / (1 << 20) })
		_, _ = fmt.Fprintf(w, "| %s | %.1f | %.0f %% | %.2f | %.0f | %.0f %% | %.0f | %s |\n", c.name, cpu, 100*spread(runs[c.name], perObject), cpu/floorCPU, rate,
			100*rate/floorRate, memory, requests(runs[c.name][0].requests))
	}
}

func requests(counts map[string]int64) string {
	var parts []string
	for name, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func values(runs []measured, of func(measured) float64) []float64 {
	var all []float64
	for _, m := range runs {
		all = append(all, of(m))
	}
	slices.Sort(all)
	return all
}

func median(runs []measured, of func(measured) float64) float64 {
	all := values(runs, of)
	if len(all) == 0 {
		return math.NaN()
	}
	return all[len(all)/2]
}

// spread returns the difference between the largest and the smallest value, divided by the median.
func spread(runs []measured, of func(measured) float64) float64 {
	all := values(runs, of)
	return (all[len(all)-1] - all[0]) / all[len(all)/2]
}
