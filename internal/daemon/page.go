package daemon

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
)

//go:embed static
var static embed.FS

// pages serves the status as a page for people and as JSON for programs.
type pages struct {
	d    *Daemon
	page *template.Template
}

func newPages(d *Daemon) *pages {
	funcs := template.FuncMap{
		"comma": comma, "bytes": size, "bytesPerSecond": func(n float64) string { return size(int64(n)) }, "clock": clock, "stamp": stamp, "took": took, "about": about, "state": stateText,
		"rate": rate, "join": strings.Join, "total": total, "reasons": reasons, "until": until,
		"shown": printable.Text, "line": printable.Line,
		"ago": func(at, now time.Time) string { return span(now.Sub(at)) + " ago" },
	}
	return &pages{d, template.Must(template.New("").Funcs(funcs).ParseFS(static, "static/*.html"))}
}

func (p *pages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /status", p.status)
	mux.HandleFunc("GET /status.json", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.d.Snapshot()) })
	mux.HandleFunc("GET /status/live", func(w http.ResponseWriter, r *http.Request) { p.render(w, r, "live") })
	mux.HandleFunc("GET /status.css", file("status.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /status.js", file("status.js", "text/javascript; charset=utf-8"))
}

// status answers a browser with the page, and whoever asks for JSON with that.
func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html") {
		writeJSON(w, http.StatusOK, p.d.Snapshot())
		return
	}
	p.render(w, r, "page")
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, name string) {
	var b bytes.Buffer
	if err := p.page.ExecuteTemplate(&b, name, viewOf(p.d.Snapshot(), State(r.URL.Query().Get("state")))); err != nil {
		p.d.o.Logger.Error("status page was not rendered", "err", err)
		plain(w, http.StatusInternalServerError, "the page could not be rendered; see the log\n")
		return
	}
	guard(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = printable.Lines(w).Write(b.Bytes()) // whoever asked may have gone
}

func file(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		w.Header().Set("Content-Type", kind)
		http.ServeFileFS(w, r, static, "static/"+name)
	}
}

// guard lets a page load nothing but its own style sheet and script, and be framed, cached or told of by nobody.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
		"base-uri 'none'; frame-ancestors 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// view is what the page is made of.
type view struct {
	*Snapshot
	Counts []count  // of mappings by state, those that want attention first
	Chosen State    // the only state shown; "" for all
	Shown  []Status // the mappings of that state, those that want attention first
}

type count struct {
	State State
	N     int
}

// urgency orders the states by how much they want attention.
func urgency() []State {
	return []State{Stalled, Failing, Draining, Running, Queued, StandingBy, Paused, Waiting, Idle}
}

func viewOf(s *Snapshot, chosen State) view {
	v := view{Snapshot: s}
	order := urgency()
	if slices.Contains(order, chosen) {
		v.Chosen = chosen
	}
	numbers := map[State]int{}
	for _, m := range s.Mappings {
		numbers[m.State]++
		if v.Chosen == "" || m.State == v.Chosen {
			v.Shown = append(v.Shown, m)
		}
	}
	for _, state := range order {
		if numbers[state] > 0 {
			v.Counts = append(v.Counts, count{state, numbers[state]})
		}
	}
	slices.SortStableFunc(v.Shown, func(a, b Status) int {
		return cmp.Or(cmp.Compare(attention(a), attention(b)), cmp.Compare(a.Mapping, b.Mapping))
	})
	return v
}

// attention is lower the more a mapping wants it. States that come and go with every pass count alike, so that rows stay
// where they are.
func attention(s Status) int {
	switch {
	case s.State == Stalled:
		return 0
	case s.State == Failing || s.Error != nil:
		return 1
	case total(s.Quarantine) > 0:
		return 2
	default:
		return 3
	}
}

func comma(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	}
	panic(fmt.Sprintf("BUG: no number of things: %T", n))
}

func stateText(s State) string {
	switch s {
	case Running:
		return "pass under way"
	case StandingBy:
		return "standing by"
	case Queued:
		return "pass due, waiting its turn"
	case Waiting:
		return "waiting for tick"
	case Idle, Failing, Stalled, Draining, Paused:
	}
	return string(s)
}

func total(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

func reasons(counts map[string]int64) []string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, reason+" "+humanize.Comma(counts[reason]))
	}
	return parts
}

func size(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) } //nolint:gosec // never negative

// rate writes a number per second with three digits or so.
func rate(perSecond float64) string {
	switch {
	case perSecond >= 100:
		return humanize.Comma(int64(perSecond + 0.5))
	case perSecond >= 10:
		return strconv.FormatFloat(perSecond, 'f', 0, 64)
	default:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
}

// took writes a number of seconds.
func took(seconds float64) string { return span(time.Duration(seconds * float64(time.Second))) }

// about writes a number of seconds with its largest unit.
func about(seconds float64) string {
	n, unit, _ := strings.Cut(took(seconds), " ")
	unit, _, _ = strings.Cut(unit, " ")
	return n + " " + unit
}

// until writes how long it is from now to a time, which may have passed.
func until(at, now time.Time) string {
	if left := at.Sub(now); left >= time.Second {
		return "in " + span(left)
	}
	return "now"
}

// span writes a length of time with its two largest units.
func span(d time.Duration) string {
	d = max(d, 0)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	default:
		return fmt.Sprintf("%d s", seconds)
	}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// stamp writes a time for the datetime attribute.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
