package checkpoint_test

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store/s3/s3test"
	"syncd/internal/deadline"
)

// now returns the time by the process's clock.
func (l *life) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.skew - l.asleep)
}

// RoundTrip sends a request. At random it first pauses the process, loses the response, or does not
// send the request.
func (l *life) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.chance(l.pause) {
		l.freeze([]time.Duration{time.Second, 15 * time.Second, 70 * time.Second, 300 * time.Second}[l.pick(4)])
	}
	for {
		l.mu.Lock()
		left, dead := time.Until(l.frozen), l.dead
		l.mu.Unlock()
		if dead {
			return nil, checkpointtest.ErrBroken
		}
		if left <= 0 {
			break
		}
		if err := deadline.Sleep(r.Context(), left); err != nil {
			return nil, err
		}
	}
	if l.chance(l.refuse) {
		return nil, checkpointtest.ErrBroken
	}
	res, err := l.perform(r)
	if l.chance(l.lose) {
		return nil, checkpointtest.ErrBroken
	}
	return res, err
}

func (l *life) freeze(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = time.Now().Add(d)
	if l.suspends {
		l.asleep += d
	}
}

var manifestKey = regexp.MustCompile(`/manifest-(\d+)\.json$`)

// perform serves a request and, if the request created a manifest, records the manifest.
func (l *life) perform(r *http.Request) (*http.Response, error) {
	l.contest.mu.Lock()
	defer l.contest.mu.Unlock()
	res, err := l.state.Cloud.RoundTripper().RoundTrip(r)
	if err != nil || r.Method != http.MethodPut || res.StatusCode != http.StatusOK {
		return res, err
	}
	if strings.HasSuffix(r.URL.Path, "/lock") && l.hasTaken(r.URL.Path) {
		l.opened = len(l.manifests)
	}
	match := manifestKey.FindStringSubmatch(r.URL.Path)
	if match == nil {
		return res, err
	}
	generation, _ := strconv.ParseInt(match[1], 10, 64)
	data, readErr := l.state.Bucket.Read(strings.TrimPrefix(r.URL.Path, "/"+s3test.Bucket+"/"))
	if readErr != nil {
		l.violated("read manifest %d: %v", generation, readErr)
	}
	isNewest := !slices.ContainsFunc(l.manifests, func(p published) bool { return p.generation >= generation })
	// If a newer manifest exists, a suspended holder has written this one. Other holders had
	// committed a generation with the same number and deleted its manifest. The late manifest is
	// neither a fence nor a commit.
	fence := isNewest && strings.Contains(string(data), `"fence":true`)
	switch {
	case fence:
		l.takeovers++
		l.opened = len(l.manifests)
	case isNewest:
		l.mark = ""
	}
	l.manifests = append(l.manifests, published{generation, l, isNewest, fence})
	return res, nil
}

// hasTaken reports whether the write of the lock acquired the lease, rather than renewed or
// released it. A process can acquire the lease twice, if the response to its first attempt was
// delayed so long that another process had the lease in between.
func (l *life) hasTaken(path string) bool {
	data, err := l.state.Bucket.Read(strings.TrimPrefix(path, "/"+s3test.Bucket+"/"))
	if err != nil {
		l.violated("read lock: %v", err)
	}
	return strings.Contains(string(data), `"renewal":0,`)
}
