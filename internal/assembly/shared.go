package assembly

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/config"
	"syncd/internal/admit"
	"syncd/internal/buildinfo"
	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier/content"
	"syncd/internal/fair"
	"syncd/internal/figure"
	"syncd/internal/invocation"
	"syncd/internal/listing/ranges"
	"syncd/internal/metrics"
	"syncd/internal/peer"
	"syncd/internal/syncer/planner"
)

// relayMemory is the maximum amount of object data, in bytes, that is in memory for all relays of
// the process together.
const relayMemory = 96 << 20

// Shared contains what all mappings of a process share. It stays the same when the configuration is
// reloaded.
type Shared struct {
	Process   invocation.Process
	Logger    *slog.Logger
	Registry  *prometheus.Registry
	Metrics   *metrics.Metrics
	Board     *figure.Board
	Store     store.Store
	buffers   *content.Buffers
	encoders  *chunk.Encoders
	listers   *ranges.Limit
	quotas    quotas
	share     *fair.Share
	sts       spacing
	admission *admit.Guard
	peers     peers
	rekey     bool
	takeOver  bool // passes may replace foreign objects
}

// openShared opens the state of the configuration, and creates what the mappings of the process
// share.
func openShared(ctx context.Context, p invocation.Process, f invocation.Flags, checks []config.Check) (*Shared, *State, error) {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	counts := metrics.New(registry, board)
	opened, err := OpenState(ctx, p, f, func(mapping string, until time.Time) {
		// m is nil for a removed mapping, whose lease may be renewed once more.
		if m := board.Known(mapping); m != nil {
			m.SetLeaseExpiry(until.Truncate(time.Second))
		}
	}, append(invocation.Gate(), checks...)...)
	if err != nil {
		return nil, nil, err
	}
	if p.Shared != nil {
		board.AskClockSkew(func() (float64, bool) {
			ahead, ok := p.Shared.Clock.Skew()
			return ahead.Seconds(), ok
		})
	}
	b := buildinfo.Read()
	counts.BuildInfo.WithLabelValues(b.Version, b.Revision, b.GoVersion).Set(1)
	return &Shared{
		Store: opened.Store, Logger: opened.Logger, Process: p, rekey: f.Rekey, takeOver: f.TakeOver,
		admission: admit.New(), Registry: registry, Metrics: counts, Board: board, buffers: content.NewBuffers(relayMemory), encoders: chunk.NewEncoders(), listers: ranges.NewLimit(planner.ListersOfAll),
		share: fair.NewShare(int(opened.Config.Concurrency)), sts: spacing{perSecond: stsRate},
	}, opened, nil
}

// peers contains what the process has learned about services from their responses. Mappings that
// use the same service share one peer.Peer.
type peers struct {
	mu    sync.Mutex
	known map[string]*peer.Peer // by the name of a service
}

func (p *peers) of(service string) *peer.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[string]*peer.Peer{}
	}
	if p.known[service] == nil {
		p.known[service] = new(peer.Peer)
	}
	return p.known[service]
}
