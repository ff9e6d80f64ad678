package checkpoint

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/store"
)

// Options configure a ledger. Only Mapping is required; the zero value of every other field works.
type Options struct {
	Mapping         string               // name of the mapping: [a-z0-9-], beginning with a letter or digit
	Holder          string               // shown to other processes that want the lease, such as "host/pid"
	Now             func() time.Time     // clock, default time.Now
	Logger          *slog.Logger         // logs damage that the ledger recovered from, default none
	FlushInterval   time.Duration        // Pass.Due reports true after this time, default 10 s
	FlushEntries    int                  // Pass.Due reports true at this many unsaved changes, default 4096
	ChunkEntries    int                  // target size of a merged chunk in rows, default 1<<16
	UploadBytes     int64                // an upload of at least this size is durable when Slot.UploadBegan returns, default 64 MiB
	Window          int                  // maximum of slots ahead of the low-water mark, and of unsaved changes; default 1<<16
	KeepGenerations int                  // generations that stay readable, default 3; fences do not count
	KeepFor         time.Duration        // generations younger than this also stay readable; default 0, so that only their number counts
	Fingerprint     string               // identifies the settings; a pass saved under another fingerprint starts over; see SetSettings
	Verified        *generation.Verified // chunks already verified, which are not verified again; default none
	Full            bool                 // Open reads every chunk from end to end, not only its footer; set it after a chunk turned out to be damaged
	Encoders        *chunk.Encoders      // compress the chunks; default: encoders that only this ledger uses
	StartOver       bool                 // if no generation is intact, start with an empty ledger
}

func (o Options) withDefaults() (Options, error) {
	if !store.IsSegment(o.Mapping) || strings.ContainsAny(o.Mapping, "._") {
		return o, fmt.Errorf("mapping name %q: want [a-z0-9-], beginning with a letter or digit", o.Mapping)
	}
	if min(o.FlushEntries, o.ChunkEntries, o.Window, o.KeepGenerations) < 0 || min(o.FlushInterval, o.KeepFor) < 0 || o.UploadBytes < 0 {
		return o, fmt.Errorf("ledger of %q: negative option", o.Mapping)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Verified == nil {
		o.Verified = new(generation.Verified)
	}
	if o.Encoders == nil {
		o.Encoders = chunk.NewEncoders()
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = 10 * time.Second
	}
	if o.UploadBytes == 0 {
		o.UploadBytes = 64 << 20
	}
	for _, d := range []struct {
		option *int
		value  int
	}{{&o.FlushEntries, 4096}, {&o.ChunkEntries, 1 << 16}, {&o.Window, 1 << 16}, {&o.KeepGenerations, 3}} {
		if *d.option == 0 {
			*d.option = d.value
		}
	}
	return o, nil
}
