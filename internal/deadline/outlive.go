package deadline

import (
	"context"
	"time"
)

// Outlive returns a context that ends patience after ctx ends, so that work in progress can be
// finished. The returned func ends the context at once and releases its resources.
func Outlive(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(patience):
			cancel()
		case <-patient.Done():
		}
	})
	return patient, func() {
		stop()
		cancel()
	}
}
