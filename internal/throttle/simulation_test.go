package throttle_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/throttle"
)

const (
	slowDown    = "Please reduce your request rate."
	slowDownKMS = "Please reduce your request rate for operations involving AWS KMS."
	// nearby is the latency of a request in the simulation, crowd is the number of concurrent
	// requests of a single mapping, and undisturbed is the resulting rate in requests per second.
	nearby      = 20 * time.Millisecond
	crowd       = 80
	undisturbed = 4000
	// simulated is how long a scene is measured. Before that, the controller gets time to find its
	// rate.
	simulated = 10 * time.Second
)

var (
	update = flag.Bool("update", false, "write the table of docs/throttling.md")
	played = flag.String("scenes", "some", "which scenes are played of TestSimulation, TestBursts and TestLevelLearnsFromConnections: some, all")
)

// tableHead is the line below the column names of the table in docs/throttling.md.
const tableHead = "|---|---|---|---|---|\n"

// scene is one simulated situation, and one row of the table in docs/throttling.md.
type scene struct {
	name string
	play func(*testing.T) shares
	// least is the smallest allowed share of possible requests that are served, and most is the
	// largest allowed share of sent requests that are refused.
	least, most float64
}

// promise returns the last two columns of a row of the table: the limits that docs/throttling.md
// promises for the scene.
func (s scene) promise() string {
	most := "any"
	if s.most < 1 {
		most = fmt.Sprintf("%.1f %%", 100*s.most)
	}
	return fmt.Sprintf("%.0f %% | %s", 100*s.least, most)
}

// refusing returns a func that refuses a share of all requests, independently of their rate.
func refusing(share float64, message string) func() error {
	return func() error {
		if rand.Float64() < share {
			return refusal(message)
		}
		return nil
	}
}

// quotas are the quotas shared by the mappings of one destination.
type quotas struct{ s3, kms *throttle.Quota }

func newQuotas() quotas {
	return quotas{throttle.NewQuota(throttle.ControllerOptions{}), throttle.NewQuota(throttle.ControllerOptions{})}
}

// mapping keeps atOnce requests in flight to a service.
func (q quotas) mapping(t *testing.T, l *load, s *service, atOnce int) {
	t.Helper()
	level := throttle.NewLevel(throttle.LevelOptions{Min: atOnce, Max: atOnce})
	guard := &throttle.Guard{Level: level, Service: q.s3.Draw(), KMS: q.kms.Draw()}
	// As in the syncer, there are more objects than concurrent requests, because some objects wait
	// for a retry.
	l.add(t, 4*atOnce, newClient(t, s, guard), "CopyObject", level.Gate())
}

// alone runs one mapping against a service.
func alone(fail func() error, s3, kms, possible float64) func(*testing.T) shares {
	return func(t *testing.T) shares {
		t.Helper()
		s := newService(nearby, newQuota(s3, s3/10), newQuota(kms, kms/10))
		s.fail = fail
		load := newLoad()
		newQuotas().mapping(t, load, s, crowd)
		time.Sleep(settled)
		defer load.stop()
		return measure(s, "CopyObject", simulated, possible)
	}
}

// together runs ten mappings. The service refuses requests of some of them for causes that affect
// only those mappings. together measures the other mappings.
func together(refused int, fail func() error, s3, kms, possible float64) func(*testing.T) shares {
	return func(t *testing.T) shares {
		t.Helper()
		well, ill := newService(nearby, newQuota(s3, s3/10), newQuota(kms, kms/10)), newService(nearby, quota{}, quota{})
		ill.fail = fail
		load, q := newLoad(), newQuotas()
		for i := range 10 {
			s := well
			if i < refused {
				s = ill
			}
			q.mapping(t, load, s, crowd/10)
		}
		time.Sleep(settled)
		defer load.stop()
		return measure(well, "CopyObject", simulated, possible)
	}
}

func scenes() []scene {
	var all []scene
	for _, quota := range []struct {
		name, message string
		shares        []float64
	}{{"S3", slowDown, []float64{0.001, 0.005, 0.02, 0.05, 0.2}}, {"KMS", slowDownKMS, []float64{0.02, 0.2}}} {
		for _, share := range quota.shares {
			s := scene{fmt.Sprintf("%s refuses %.3g %% at any rate", quota.name, 100*share), alone(refusing(share, quota.message), 0, 0, undisturbed*(1-share)), 0.95, 1}
			if share >= 0.05 {
				s.least = 0.9
			}
			all = append(all, s)
		}
		for _, share := range []float64{0.2, 1} { // share of one mapping's requests that is refused
			all = append(all, scene{
				fmt.Sprintf("%s refuses %.3g %% of one in ten mappings; the others", quota.name, 100*share),
				together(1, refusing(share, quota.message), 0, 0, undisturbed*0.9), 0.95, 0.005,
			})
		}
		all = append(all, scene{quota.name + " refuses three in ten mappings; the others", together(3, refusing(1, quota.message), 0, 0, undisturbed*0.7), 0.95, 0.005})
	}
	return append(all,
		scene{"S3 allows 3,500/s", alone(nil, 3500, 0, 3500), 0.9, 0.03},
		scene{"S3 allows 1,000/s", alone(nil, 1000, 0, 1000), 0.9, 0.03},
		scene{"S3 allows 100/s", alone(nil, 100, 0, 100), 0.9, 0.03},
		scene{"S3 allows 1,000/s and refuses 5 % at any rate", alone(refusing(0.05, slowDown), 1000, 0, 1000), 0.9, 0.08},
		scene{"KMS allows 2,000/s, each copy needs two", alone(nil, 0, 2000, 1000), 0.9, 0.03},
		scene{"KMS allows 200/s, each copy needs two", alone(nil, 0, 200, 100), 0.9, 0.03},
		scene{"S3 allows 1,000/s to ten mappings", together(0, nil, 1000, 0, 1000), 0.9, 0.03},
		scene{"S3 allows 1,000/s to nine mappings and refuses the tenth", together(1, refusing(1, slowDown), 1000, 0, 1000), 0.9, 0.03},
		scene{"KMS allows 2,000/s to nine mappings and refuses the tenth", together(1, refusing(1, slowDownKMS), 0, 2000, 1000), 0.9, 0.03},
	)
}

const simulationDoc = "../../docs/throttling.md"

// TestSimulation checks that every scene keeps its limits, and that the table in docs/throttling.md
// matches the scenes.
func TestSimulation(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test and make stress run it")
	}
	text, err := os.ReadFile(simulationDoc)
	if err != nil {
		t.Fatal(err)
	}
	head, documented, _ := strings.Cut(string(text), tableHead)
	var table strings.Builder
	for i, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			if !*update && !isPlayed(i) {
				fmt.Fprintf(&table, "| %s | - | - | %s |\n", sc.name, sc.promise())
				return
			}
			synctest.Test(t, func(t *testing.T) {
				got := sc.play(t)
				fmt.Fprintf(&table, "| %s | %.1f %% | %.2f %% | %s |\n", sc.name, 100*got.served, 100*got.refused, sc.promise())
				if got.served < sc.least || got.refused > sc.most {
					t.Errorf("got %.1f %% served, %.2f %% refused, want at least %.0f %%, at most %.1f %%", 100*got.served, 100*got.refused, 100*sc.least, 100*sc.most)
				}
			})
		})
	}
	if *update {
		if err := os.WriteFile(simulationDoc, []byte(head+tableHead+table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(promises(documented), promises(table.String())); diff != "" {
		t.Errorf("%s does not match the scenes; run with -update (-documented +simulated):\n%s", simulationDoc, diff)
	}
}

// isPlayed reports whether the scene with the given number is run.
func isPlayed(scene int) bool { return *played == "all" || scene%5 == 0 }

// promises returns the rows of a table without the measured figures.
func promises(table string) []string {
	var rows []string
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(row), " | ")
		rows = append(rows, strings.Join(append(cells[:1:1], cells[min(3, len(cells)):]...), " | "))
	}
	return rows
}
