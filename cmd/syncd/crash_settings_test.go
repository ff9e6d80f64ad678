package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"syncd/internal/demo"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// crashSettings contains settings of a mapping. A change of any of them makes the existing entries
// of the mapping's ledger wrong.
type crashSettings struct {
	text string // the configuration without them

	prefix, class, key string
	firstKey, otherKey string
}

// The prefixes of the source, and the number of objects under crashOtherPrefix. The objects under
// both prefixes are copied to the same keys.
const (
	crashPrefix      = "data/"
	crashOtherPrefix = "more/"
	crashOthers      = crashObjects / 4
)

// TestCrashUnderChangedSettings kills the real process repeatedly while the KMS key, the storage
// class and the source prefix of the mapping change at random. It checks that after a complete pass
// the copies match the settings, and that no copy is quarantined as foreign.
func TestCrashUnderChangedSettings(t *testing.T) {
	skipIfShort(t)
	for _, way := range crashWays(max(min(*crashKills, 2), *crashKills/4)) {
		t.Run(way.String(), func(t *testing.T) {
			c := newCrash(t, way)
			c.withSettings(t)
			for range way.kills {
				c.settings.change(c.random.IntN)
				c.write(t)
				c.killOnce(t)
				if c.random.IntN(6) == 0 {
					c.converge(t)
				}
			}
			for range 2 { // first with the current settings, then with settings changed at random
				c.converge(t)
				c.settings.change(c.random.IntN)
				c.write(t)
			}
			t.Logf("%d kills, %d copies", c.kills, len(c.copies))
		})
	}
}

// withSettings creates everything in the accounts that any of the settings needs.
func (c *crash) withSettings(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	first := c.ConsumerKey.ARN()
	other := c.Cloud.Account(demo.Consumer).CreateKey(demo.Region, nil).ARN()
	c.settings = &crashSettings{text: string(text), prefix: crashPrefix, key: first, firstKey: first, otherKey: other}
	c.Role.SetPolicies(iam.MustParse(fidelityRole))
	for i := range crashOthers {
		c.put(crashOtherPrefix, i)
	}
}

// change sets each setting to one of its two values at random.
func (s *crashSettings) change(pick func(int) int) {
	one := func(values ...string) string { return values[pick(len(values))] }
	s.prefix, s.class, s.key = one(crashPrefix, crashOtherPrefix), one("STANDARD", "STANDARD_IA"), one(s.firstKey, s.otherKey)
}

// write puts the settings into the configuration.
func (c *crash) write(t *testing.T) {
	t.Helper()
	s := c.settings
	text := strings.Replace(s.text, "source: {", "source: {prefix: "+s.prefix+", ", 1)
	text = strings.Replace(text, "destination: {", "destination: {prefix: "+crashPrefix+", storage_class: "+s.class+", ", 1)
	text = strings.ReplaceAll(text, s.firstKey, s.key)
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// converge runs complete passes, and compares the copies with the source and the settings. The passes
// run in processes with the same clock as the killed ones, because claims depend on it.
func (c *crash) converge(t *testing.T) {
	t.Helper()
	// A resumed pass misses objects that were overwritten before its mark, and objects that requests
	// of a killed process replace late. The next pass copies them.
	for range 2 {
		var stdout, stderr lockedBuffer
		code := exitStatus(t, c.start(t, &stdout, &stderr, "backfill", "--rekey", "--json"))
		var summary syncer.Summary
		if err := json.Unmarshal([]byte(stdout.String()), &summary); err != nil || code != 0 || summary.SetAside() > 0 {
			t.Fatalf("got exit %d, %+v, %v, want all objects settled; stderr:\n%s", code, summary, err, stderr.String())
		}
		eventually(t, "no slow request is in progress", func() bool { return c.slow.Load() == 0 })
	}
	c.skew.Add(int64(time.Minute))
	s, n := c.settings, crashObjects
	if s.prefix == crashOtherPrefix {
		n = crashOthers
	}
	for i := range n {
		original, _ := c.Source.Object(fmt.Sprintf("%s%04d", s.prefix, i))
		copied, ok := c.Destination.Object(copyOf(i))
		if !ok || copied.Checksum != original.Checksum || copied.KeyARN != s.key || copied.StorageClass != s.class {
			t.Fatalf("%s: got %+v, want a copy of %+v in %s under %s", copyOf(i), copied, original, s.class, s.key)
		}
	}
}
