package deploytest_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// A dashboard is the part of Grafana's dashboard model that the tests read.
type dashboard struct {
	UID           string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type string }
	}
	Annotations struct{ List []struct{ Expr string } }
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		RefID      string
		Expr       string
		Instant    bool
		Datasource struct{ Type, UID string }
	}
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana/syncd.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID != "syncd" || d.SchemaVersion < 39 || len(d.Panels) < 20 {
		t.Fatalf("got dashboard %q of schema %d with %d panels, want syncd, a recent one, and many", d.UID, d.SchemaVersion, len(d.Panels))
	}
	return d
}

// filled returns a query as Grafana sends it when all mappings are selected.
func filled(query, rateInterval string) string {
	return strings.NewReplacer("$__rate_interval", rateInterval, "$mapping", ".*").Replace(query)
}

// queries returns the queries of panels and annotations, with the values of Grafana's variables
// filled in.
func (d dashboard) queries(rateInterval string) (queries []string) {
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries = append(queries, filled(target.Expr, rateInterval))
		}
	}
	for _, a := range d.Annotations.List {
		queries = append(queries, filled(a.Expr, rateInterval))
	}
	return queries
}

func TestDashboardUsesKnownMetrics(t *testing.T) {
	known := knownMetrics(t)
	for _, query := range loadDashboard(t).queries("5m") {
		names := metricsIn(t, query)
		if len(names) == 0 {
			t.Errorf("got no metric in %s, want one", query)
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("got %s in the dashboard, want a metric of docs/metrics.md", name)
			}
		}
	}
}

func TestDashboardShowsEveryMetricOfAMapping(t *testing.T) {
	all := strings.Join(loadDashboard(t).queries("5m"), "\n")
	// The dashboard omits metrics that show the progress of a single pass or duplicate another
	// panel.
	elsewhere := regexp.MustCompile(`^syncd_(actions_total|last_complete_listing_timestamp_seconds|lease_expiry_timestamp_seconds|ledger_generation|` +
		`pass_duration_seconds|pass_waiting|quarantined_objects_total|config_reload_success)`)
	for name := range knownMetrics(t) {
		if strings.HasPrefix(name, "syncd_") && !elsewhere.MatchString(name) && !strings.Contains(all, strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")) {
			t.Errorf("got no panel of %s, want one", name)
		}
	}
}

func TestDashboardIsPortable(t *testing.T) {
	d := loadDashboard(t)
	names := map[string]bool{}
	for _, v := range d.Templating.List {
		names[v.Name] = true
	}
	if !names["datasource"] || !names["mapping"] {
		t.Errorf("got variables %v, want datasource and mapping", names)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: got id %d twice, want it once", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("%s: got data source %q, description %q and %d queries, want the variable, a description and at least one query",
				p.Title, p.Datasource.UID, p.Description, len(p.Targets))
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%s: got data source %q, want the variable", p.Title, target.Datasource.UID)
			}
		}
	}
	for i, p := range d.Panels {
		for _, q := range d.Panels[i+1:] {
			a, b := p.GridPos, q.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("got panels %q and %q overlapping, want them apart", p.Title, q.Title)
			}
		}
	}
}

// TestDashboardNamesKnownAlerts checks that the alerts named in panel descriptions exist in the
// rules.
func TestDashboardNamesKnownAlerts(t *testing.T) {
	alerts := map[string]bool{}
	for _, group := range loadRules(t) {
		for _, rule := range group.Rules {
			alerts[rule.Alert] = true
		}
	}
	for _, p := range loadDashboard(t).Panels {
		for _, name := range regexp.MustCompile(`\bSyncd[A-Za-z]+`).FindAllString(p.Description, -1) {
			if !alerts[name] {
				t.Errorf("%s: got alert %s, want one in the rules", p.Title, name)
			}
		}
	}
}
