// Package workers carries out tasks in goroutines that live as long as the work.
//
// A new goroutine begins with a small stack, which is copied each time it grows. A request of the AWS SDK
// needs a deep stack, so a goroutine for each object would spend a good part of its time on growing one. Here
// a task is given to a goroutine that is idle, and a new one begins only if none is. There are therefore never
// more goroutines than tasks were in hand at once.
//
// The caller limits how many tasks are in hand at once, and turns panics into errors.
package workers

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Workers carries out tasks. Several goroutines may call Give at the same time.
type Workers[T any] struct {
	work  func(first T) error
	tasks chan T
	group *errgroup.Group
}

// Start returns Workers that carry out each task with do. The context that do receives ends with ctx, or when
// a task first returns an error. Start returns that context too.
func Start[T any](ctx context.Context, do func(context.Context, T) error) (w *Workers[T], working context.Context) {
	group, working := errgroup.WithContext(ctx)
	w = &Workers[T]{tasks: make(chan T), group: group}
	w.work = func(task T) error {
		for isOpen := true; isOpen; task, isOpen = <-w.tasks {
			if err := do(working, task); err != nil {
				return err
			}
		}
		return nil
	}
	return w, working
}

// Give begins a task, and does not wait for its end.
func (w *Workers[T]) Give(task T) {
	select {
	case w.tasks <- task:
	default:
		w.group.Go(func() error { return w.work(task) })
	}
}

// Wait waits for the end of all tasks, and returns the first error. Give must not be called afterwards.
func (w *Workers[T]) Wait() error {
	close(w.tasks)
	return w.group.Wait()
}
