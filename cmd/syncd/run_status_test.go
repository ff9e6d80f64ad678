package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// shownMapping has the fields of /status.json that the test reads.
type shownMapping struct {
	Mapping, State, Activity, Schedule, Method string
	Source, Destination                        struct{ Bucket, Prefix, Region, Account string }
	Entries, Generation                        *int64
	Oldest                                     *float64 `json:"oldest_unsynced_seconds"`
	Backlog                                    *int64   `json:"backlog_objects"`
	Quarantine                                 map[string]int64
	LastSuccess                                *string `json:"last_success"`
}

// TestRunShowsLedgersBeforePasses checks that the daemon shows the ledgers that a backfill has
// written, for a mapping without a schedule and a mapping whose next pass is months away, and that
// it shows none for a new mapping.
func TestRunShowsLedgersBeforePasses(t *testing.T) {
	s := newSite(t, func(text string) string {
		one := text[strings.Index(text, "  - name:"):]
		text = strings.TrimSuffix(text, one)
		for name, schedule := range map[string]string{"asked-for": `""`, "yearly": `"0 0 1 1 *"`, "new": `"0 0 1 1 *"`} {
			text += strings.NewReplacer("name: "+demo.Mapping, "name: "+name, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: "+name+"/", `"@every 5s"`, schedule).Replace(one)
		}
		return "http: {listen: \"127.0.0.1:0\"}\n" + text
	})
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	s.Source.Put("b", awsfake.BytesBody([]byte("b")), awsfake.PutOptions{StorageClass: "GLACIER"})
	if got := s.run(t.Context(), "backfill", "--mapping", "asked-for", "--mapping", "yearly"); got.code != 3 {
		t.Fatalf("got exit %d, want an object in quarantine:\n%s", got.code, got.stderr)
	}
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr lockedBuffer
	ended := make(chan int)
	go func() {
		p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn()}
		ended <- run(ctx, []string{"run", "--config", s.config}, p)
	}()
	defer func() { stop(); <-ended }()
	address := listening(t, &stderr)
	var shown map[string]shownMapping
	eventually(t, "the ledgers were read", func() bool {
		var status struct{ Mappings []shownMapping }
		if err := json.Unmarshal([]byte(page(t, address, "/status.json", "")), &status); err != nil {
			t.Fatal(err)
		}
		shown = map[string]shownMapping{}
		known := 0
		for _, m := range status.Mappings {
			shown[m.Mapping] = m
			if m.Generation != nil && (m.Quarantine["archived"] == 1 || m.Mapping == "new") {
				known++
			}
		}
		return known == 3
	})
	for name, activity := range map[string]string{"asked-for": "unscheduled", "yearly": "waiting"} {
		m := shown[name]
		if m.State != "quarantined" || m.Activity != activity || *m.Generation != 1 || *m.Entries != 1 || m.Oldest == nil || m.LastSuccess == nil {
			t.Errorf("%s: got %+v, want quarantined, %s, with the data of the ledger", name, m, activity)
		}
		if m.Source.Bucket != demo.Source || m.Source.Account == "" || m.Source.Region == "" || m.Destination.Prefix != name+"/" || m.Method != "server_side" {
			t.Errorf("%s: got %+v to %+v by %s, want both sides and the method", name, m.Source, m.Destination, m.Method)
		}
	}
	if m := shown["new"]; m.State != "unknown" || *m.Generation != 0 || m.Oldest != nil || m.Backlog != nil || m.LastSuccess != nil {
		t.Errorf("got %+v, want no values for a mapping that was never listed", m)
	}
	exposition := page(t, address, "/metrics", "")
	for _, series := range []string{`syncd_oldest_unsynced_seconds{mapping="new"}`, `syncd_backlog_objects{mapping="new"}`, `syncd_next_pass_timestamp_seconds{mapping="asked-for"}`} {
		if strings.Contains(exposition, series) {
			t.Errorf("got %s in the metrics, want no series for unknown values", series)
		}
	}
	if got := s.run(t.Context(), "backfill", "--mapping", "asked-for"); got.code != 3 {
		t.Errorf("got exit %d of a backfill next to the daemon, want a free lease:\n%s", got.code, got.stderr)
	}
}
