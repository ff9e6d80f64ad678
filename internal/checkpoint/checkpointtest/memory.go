package checkpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd/internal/checkpoint/store"
)

// Memory is a store that keeps its records in memory. Use NewMemory to create one.
type Memory struct {
	mu      sync.Mutex
	records map[string][]byte
	leases  map[string]*memoryLease
	number  int64           // number of the last lease
	unclean map[string]bool // names whose last holder did not release the lease
}

var _ store.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{records: make(map[string][]byte), leases: make(map[string]*memoryLease), unclean: make(map[string]bool)}
}

// String returns "memory:".
func (m *Memory) String() string { return "memory:" }

// Clone returns a store with the same records in which no lease is held: the state that another
// process would find if this process were killed now.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	clone := NewMemory()
	clone.records, clone.number = maps.Clone(m.records), m.number
	return clone
}

// Damage replaces a record with the result of calling change on a copy of the record's bytes.
func (m *Memory) Damage(name string, change func([]byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[name] = change(bytes.Clone(m.records[name]))
}

func check(ctx context.Context, name string) error {
	valid := regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)+$`)
	if !valid.MatchString(name) || strings.HasSuffix(name, "/lock") {
		return fmt.Errorf("record name %q: %w", name, fs.ErrInvalid)
	}
	return ctx.Err()
}

// Read returns a whole record.
func (m *Memory) Read(ctx context.Context, name string) ([]byte, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.records[name]
	if !ok {
		return nil, fmt.Errorf("read record %s: %w", name, fs.ErrNotExist)
	}
	return bytes.Clone(data), nil
}

// Open opens a record.
func (m *Memory) Open(ctx context.Context, name string, _ int64) (store.Record, error) {
	data, err := m.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	return memoryChunk{bytes.NewReader(data)}, nil
}

type memoryChunk struct{ *bytes.Reader }

func (memoryChunk) Close() error         { return nil }
func (memoryChunk) Bind(context.Context) {}

func (c memoryChunk) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(c.Reader, 0, c.Size()))
}

// Create creates a record.
func (m *Memory) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	var data bytes.Buffer
	if err := write(&data); err != nil {
		return fmt.Errorf("create record %s: %w", name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.records[name]; taken {
		return fmt.Errorf("create record %s: %w", name, fs.ErrExist)
	}
	m.records[name] = data.Bytes()
	return nil
}

// List returns the names that begin with prefix, in byte order.
func (m *Memory) List(ctx context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.records)) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, ctx.Err()
}

// Delete removes a record.
func (m *Memory) Delete(ctx context.Context, name string) error {
	if err := check(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, name)
	return nil
}

// Acquire acquires the lease on name.
func (m *Memory) Acquire(ctx context.Context, name, holder string) (store.Lease, error) {
	if err := check(ctx, name+"/x"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.leases[name]; held != nil {
		return nil, &store.LeaseHeldError{Name: name, Holder: held.holder, Since: held.since}
	}
	m.number++
	lease := &memoryLease{
		Tenure: store.NewTenure(), store: m, name: name, holder: holder, since: time.Now(), number: m.number, takenOver: m.unclean[name],
	}
	m.leases[name] = lease
	return lease, nil
}

// LeaseOf returns who holds the lease on name.
func (m *Memory) LeaseOf(ctx context.Context, name string) (info store.LeaseInfo, ok bool, err error) {
	if err := check(ctx, name+"/x"); err != nil {
		return info, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.leases[name]; held != nil {
		return store.LeaseInfo{Holder: held.holder, Since: held.since}, true, nil
	}
	return info, false, nil
}

// TakeLease takes the lease on name away from its holder, as if the lease had expired.
func (m *Memory) TakeLease(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.leases[name]; held != nil {
		held.End(store.ErrLeaseLost)
	}
	delete(m.leases, name)
	m.unclean[name] = true
}

type memoryLease struct {
	store.Tenure

	store        *Memory
	name, holder string
	since        time.Time
	number       int64
	takenOver    bool
}

func (l *memoryLease) Number() int64 { return l.number }

func (l *memoryLease) TakenOver() bool {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	return l.takenOver
}

func (l *memoryLease) Fenced() {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.takenOver = false
}

func (l *memoryLease) Held(ctx context.Context) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.store.leases[l.name] != l {
		return errors.Join(store.ErrLeaseLost, ctx.Err())
	}
	return ctx.Err()
}

func (l *memoryLease) Confirm(ctx context.Context) error { return l.Held(ctx) }

func (l *memoryLease) Release() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.End(store.ErrLeaseLost)
	if l.store.leases[l.name] == l {
		delete(l.store.leases, l.name)
		l.store.unclean[l.name] = l.takenOver
	}
	return nil
}
