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

// Options tell how a ledger is kept. The zero value of every field but Mapping works.
type Options struct {
	Mapping         string               // whose ledger it is: [a-z0-9-], beginning with a letter or digit
	Holder          string               // named to others who want the lease, such as "host/pid"
	Now             func() time.Time     // clock, default time.Now
	Logger          *slog.Logger         // told of damage that was survived, default none
	FlushInterval   time.Duration        // Pass.Due after this time, default 10 s
	FlushEntries    int                  // Pass.Due when so many changes wait, default 4096
	ChunkEntries    int                  // rows a merged chunk aims at, default 1<<20
	UploadBytes     int64                // an upload of so many bytes or more is durable when Slot.UploadBegan returns, default 64 MiB
	Window          int                  // slots ahead of the low-water mark, and changes unsaved, at most; default 1<<16
	KeepGenerations int                  // generations that stay readable, default 3; fences do not count
	KeepFor         time.Duration        // generations younger than this stay readable too, default none
	Fingerprint     string               // of the settings; a pass that was saved under another one begins again; see SetSettings
	Verified        *generation.Verified // chunks that need not be read again to see that they are whole; default none
	Encoders        *chunk.Encoders      // that compress the chunks; default the ledger's own
	StartOver       bool                 // where no generation is whole, begin with an empty ledger after the damage
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
	}{{&o.FlushEntries, 4096}, {&o.ChunkEntries, 1 << 20}, {&o.Window, 1 << 16}, {&o.KeepGenerations, 3}} {
		if *d.option == 0 {
			*d.option = d.value
		}
	}
	return o, nil
}
